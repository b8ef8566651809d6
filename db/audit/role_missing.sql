-- role_missing · error
-- The serving role does not exist.
--
-- Policies and grants name the serving role. Without it the server either cannot connect at all
-- or connects as somebody else, most likely the owner, and every check of this audit that asks
-- what the serving role can reach has nothing to say.
-- Source: db/policies/00_roles.sql makes it.

select 'role_missing' as id,
       'error' as level,
       current_setting('audit.role') as object,
       'there is no such role' as detail,
       'Anybody, if the server is pointed at a stronger role to make it start.' as exploit,
       format('create role %I login nosuperuser nobypassrls nocreatedb nocreaterole noinherit '
              'noreplication; -- and then: task-api migrate', current_setting('audit.role')) as mend
 where not exists (select from pg_catalog.pg_roles where rolname = current_setting('audit.role'));
