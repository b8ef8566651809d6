-- a bulk import that was to skip the triggers
-- turns red: grant_parameter
grant set on parameter session_replication_role to task_app;
