-- policy_to_public · error
-- A policy lets rows through for every role.
--
-- Without `to` and the serving role a permissive policy holds for every role there is and will
-- be, and adds itself, with OR, to each policy those roles have. A restrictive policy for
-- everybody only narrows.
-- Who: any role that has a grant on the table.
-- Source: PostgreSQL manual, CREATE POLICY (TO, default PUBLIC).

select 'policy_to_public' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       'is a permissive policy to PUBLIC' as detail,
       'Any role that has a grant on the table, now or later.' as exploit,
       format('alter policy %I on %s to %I;', p.polname, c.oid::regclass,
              current_setting('audit.role')) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
 where p.polpermissive and 0 = any (p.polroles);
