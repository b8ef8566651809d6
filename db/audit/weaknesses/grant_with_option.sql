-- the serving role was to make readers of its own
-- turns red: grant_with_option drift
grant select on task to task_app with grant option;
