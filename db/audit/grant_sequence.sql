-- grant_sequence · error
-- The serving role has a privilege on a sequence.
--
-- Identity columns need none. Who has it reads how many rows everybody makes (last_value), and
-- with UPDATE sets the counter back, so that the inserts of others collide.
-- Who: whoever can run SQL as the serving role: setval('...', 1).
-- Source: PostgreSQL manual, Sequence Manipulation Functions; Privileges.

select 'grant_sequence' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has %s', g.grantee, g.privileges) as detail,
       'Whoever runs SQL as the serving role: reads or sets the counter of all ids.' as exploit,
       format('revoke all on sequence %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
              string_agg(distinct a.privilege_type, ', ')
         from aclexplode(c.relacl) a
        where a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))
        group by a.grantee) g (grantee, privileges)
 where c.relkind = 'S'
   and c.oid >= 16384;
