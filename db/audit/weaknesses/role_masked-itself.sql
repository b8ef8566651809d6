-- The serving role's own sessions are another's.
-- turns red: role_masked drift
alter role task_app set role = pg_monitor;
