-- the same, for one column
-- turns red: grant_with_option drift
grant update (title) on task to task_app with grant option;
