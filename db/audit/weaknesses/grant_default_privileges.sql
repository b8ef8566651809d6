-- so that one need not think of grants again
-- turns red: grant_default_privileges
alter default privileges for role task_owner in schema public
    grant select, insert, update, delete on tables to task_app;
