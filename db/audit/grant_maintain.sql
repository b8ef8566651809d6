-- grant_maintain · error
-- The serving role has MAINTAIN on people's rows.
--
-- MAINTAIN, new in PostgreSQL 17, locks a table against everybody (LOCK TABLE, CLUSTER, REINDEX),
-- and refreshes materialized views. Serving needs none of that. Before 17 there is nothing to
-- find.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Privileges; LOCK.

select 'grant_maintain' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has MAINTAIN', g.grantee) as detail,
       'Whoever runs SQL as the serving role: lock table ..., and everybody else waits.' as exploit,
       format('revoke maintain on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(c.relacl) a
        where a.privilege_type = 'MAINTAIN'
          and a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where c.relkind in ('r', 'p', 'm')
   and c.oid >= 16384
   and (c.relrowsecurity
        or exists (select from pg_catalog.pg_attribute u
                    where u.attrelid = c.oid and not u.attisdropped
                      and u.attname = current_setting('audit.owner_column')));
