-- role_superuser · error
-- The serving role is a superuser.
--
-- A superuser passes every privilege check and every policy, reads the server's files and runs
-- its programs. Nothing fails and nothing is logged: the application works, for everybody, on all
-- rows.
-- Source: PostgreSQL manual, Role Attributes and Row Security Policies.

select 'role_superuser' as id,
       'error' as level,
       rolname::text as object,
       'is a superuser' as detail,
       'Anybody served by this role, as soon as one statement forgets its filter.' as exploit,
       format('alter role %I nosuperuser;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolsuper;
