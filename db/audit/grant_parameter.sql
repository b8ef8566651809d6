-- grant_parameter · error
-- The serving role may set what only a superuser may set.
--
-- Since PostgreSQL 15 single parameters can be granted: session_replication_role switches triggers
-- and foreign keys off, and ALTER SYSTEM presets the setting for everybody.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, GRANT (ON PARAMETER); pg_parameter_acl.

select 'grant_parameter' as id,
       'error' as level,
       p.parname as object,
       format('%s has %s', g.grantee, g.privileges) as detail,
       format('Whoever runs SQL as the serving role: set %s.', p.parname) as exploit,
       format('revoke all on parameter %s from %s;', p.parname, g.grantee) as mend
  from pg_catalog.pg_parameter_acl p
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
              string_agg(distinct a.privilege_type, ', ')
         from aclexplode(p.paracl) a
        where a.grantee in (0, app.oid)
           or not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member')
        group by a.grantee) g (grantee, privileges);
