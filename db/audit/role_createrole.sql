-- role_createrole · error
-- The serving role makes and changes other roles.
--
-- Before PostgreSQL 16 a role with CREATEROLE can grant itself nearly every other role, the
-- predefined ones that read all data among them. Since 16 it still makes roles of its own that no
-- review has seen.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Role Attributes.

select 'role_createrole' as id,
       'error' as level,
       rolname::text as object,
       'has CREATEROLE' as detail,
       'Whoever runs SQL as it: create role, then grant.' as exploit,
       format('alter role %I nocreaterole;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolcreaterole;
