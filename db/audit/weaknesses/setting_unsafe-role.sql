-- the serving role is another as soon as it connects
-- turns red: setting_unsafe drift
alter role task_app set role = pg_monitor;
