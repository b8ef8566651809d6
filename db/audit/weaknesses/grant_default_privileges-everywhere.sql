-- the same in every schema, to everybody
-- turns red: grant_default_privileges
alter default privileges for role task_owner grant select on tables to public;
