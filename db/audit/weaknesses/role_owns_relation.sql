-- a migration ran on DATABASE_URL instead of MIGRATION_DATABASE_URL
-- turns red: role_owns_relation drift
create table draft (title text);
alter table draft owner to task_app;
