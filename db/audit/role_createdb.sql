-- role_createdb · error
-- The serving role makes databases.
--
-- A role with CREATEDB owns what it makes, may copy any database that is marked as a template, and
-- fills the disk of all the others.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Role Attributes and Template Databases.

select 'role_createdb' as id,
       'error' as level,
       rolname::text as object,
       'has CREATEDB' as detail,
       'Whoever runs SQL as it: create database, which it then owns.' as exploit,
       format('alter role %I nocreatedb;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolcreatedb;
