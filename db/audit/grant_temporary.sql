-- grant_temporary · error
-- The serving role may make temporary tables.
--
-- pg_temp comes first in every search path that does not name it: a temporary table called task
-- stands in front of the real one, without any policy, for as long as a pooled connection lives.
-- PUBLIC has the privilege on every new database, until somebody takes it away.
-- Who: whoever can run SQL as the serving role, against the next borrower of the connection.
-- CVE-2007-2138.
-- Source: PostgreSQL manual, Client Connection Defaults (search_path); Privileges.

select 'grant_temporary' as id,
       'error' as level,
       d.datname::text as object,
       format('%s has TEMPORARY', g.grantee) as detail,
       'Whoever runs SQL as the serving role: a temporary table in front of the real one.'
         as exploit,
       format('revoke temporary on database %I from %s;', d.datname, g.grantee) as mend
  from pg_catalog.pg_database d
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        where a.privilege_type = 'TEMPORARY'
          and a.grantee <> d.datdba
          and (a.grantee in (0, app.oid)
               or not app.rolsuper and pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where d.datname = current_database();
