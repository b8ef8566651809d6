-- grant_default_privileges · error
-- Tables that do not exist yet are granted to the serving role.
--
-- A default privilege opens every future table on the day it is made, before anybody has written a
-- policy for it. The EXECUTE on functions and USAGE on types that PostgreSQL itself gives PUBLIC
-- are not counted.
-- Who: whoever can run SQL as the serving role, after the next migration.
-- Source: PostgreSQL manual, ALTER DEFAULT PRIVILEGES.

select 'grant_default_privileges' as id,
       'error' as level,
       format('default privileges of %s%s', da.defaclrole::regrole,
              case da.defaclnamespace when 0 then ''
                   else format(' in schema %s', da.defaclnamespace::regnamespace) end) as object,
       format('%s will have %s on every new %s', g.grantee, g.privileges,
              rtrim(kind.name, 's')) as detail,
       'Whoever runs SQL as the serving role, as soon as the next one is made.' as exploit,
       format('alter default privileges for role %s%s revoke all on %s from %s;',
              da.defaclrole::regrole,
              case da.defaclnamespace when 0 then ''
                   else format(' in schema %s', da.defaclnamespace::regnamespace) end,
              kind.name, g.grantee) as mend
  from pg_catalog.pg_default_acl da
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select case da.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
                                    when 'f' then 'functions' when 'T' then 'types'
                                    when 'n' then 'schemas' else 'large objects' end) kind (name)
 cross join lateral (
       select case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
              string_agg(distinct a.privilege_type, ', ')
         from aclexplode(da.defaclacl) a
        where a.grantee <> da.defaclrole
          and not (a.grantee = 0 and da.defaclobjtype in ('f', 'T'))
          and (a.grantee in (0, app.oid)
               or not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member'))
        group by a.grantee) g (grantee, privileges);
