-- "it should analyze its own tables"
-- turns red: grant_maintain drift
grant maintain on task to task_app;
