-- a second service keeps notes on tasks
-- turns red: grant_references drift
grant references on task to task_app;
