-- grant_create_database · error
-- The serving role may make schemas and publications.
--
-- CREATE on a database makes schemas, which their maker owns, installs trusted extensions, and is
-- half of what a publication needs.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Privileges; CREATE EXTENSION.

select 'grant_create_database' as id,
       'error' as level,
       d.datname::text as object,
       format('%s has CREATE', g.grantee) as detail,
       'Whoever runs SQL as the serving role: create schema, create extension.' as exploit,
       format('revoke create on database %I from %s;', d.datname, g.grantee) as mend
  from pg_catalog.pg_database d
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(d.datacl) a
        where a.privilege_type = 'CREATE'
          and a.grantee <> d.datdba
          and (a.grantee in (0, app.oid)
               or not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where d.datname = current_database();
