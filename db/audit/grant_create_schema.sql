-- grant_create_schema · error
-- The serving role may make things in a schema.
--
-- Who may create in a schema of the search path puts a function or a table in front of a real
-- one, and others run it. Schema public gave this to PUBLIC until PostgreSQL 15, and databases
-- that were upgraded still do.
-- Who: whoever can run SQL as the serving role. CVE-2018-1058.
-- Source: PostgreSQL manual, Schemas (Usage Patterns).

select 'grant_create_schema' as id,
       'error' as level,
       n.nspname::text as object,
       format('%s has CREATE', g.grantee) as detail,
       'Whoever runs SQL as the serving role: a function that others call by mistake.' as exploit,
       format('revoke create on schema %I from %s;', n.nspname, g.grantee) as mend
  from pg_catalog.pg_namespace n
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(n.nspacl) a
        where a.privilege_type = 'CREATE'
          and a.grantee <> n.nspowner
          and (a.grantee in (0, app.oid)
               or not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where n.nspname !~ '^pg_(toast_)?temp_';
