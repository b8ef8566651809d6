-- "it should analyze its own tables"
-- turns red: grant_maintain drift
-- needs: PostgreSQL 17
grant maintain on task to task_app;
