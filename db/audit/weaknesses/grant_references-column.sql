-- the same, for two columns
-- turns red: grant_references drift
grant references (user_id, id) on task to task_app;
