-- a schema's operators stand in front of PostgreSQL's own
-- turns red: setting_unsafe drift
alter role task_app set search_path = public, pg_catalog;
