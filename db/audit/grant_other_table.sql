-- grant_other_table · error
-- The serving role reaches a table in which no row belongs to anybody.
--
-- Without an owner column, and without row security, a grant is a grant on every row: the
-- migration tool's bookkeeping, a copy somebody made, a foreign table (which knows no row
-- security at all). Whoever may write the bookkeeping makes the next migration skip. Tables of
-- every schema count, whether or not the role may use it, and those of extensions as well.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Row Security Policies.

select 'grant_other_table' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has %s, and no row security is in the way', g.grantee, g.privileges) as detail,
       'Whoever runs SQL as the serving role: every row of it.' as exploit,
       format('revoke all on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
              string_agg(distinct a.privilege_type, ', ')
         from (select grantee, privilege_type from aclexplode(c.relacl)
               union
               select x.grantee, x.privilege_type
                 from pg_catalog.pg_attribute att
                cross join lateral aclexplode(att.attacl) x where att.attrelid = c.oid) a
        where a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))
        group by a.grantee) g (grantee, privileges)
 cross join lateral (
       select exists (select from pg_catalog.pg_attribute u
                       where u.attrelid = c.oid and not u.attisdropped
                         and u.attname = current_setting('audit.owner_column')),
              exists (select from pg_catalog.pg_inherits i
                        join pg_catalog.pg_class parent on parent.oid = i.inhparent
                       where i.inhrelid = c.oid and parent.relrowsecurity),
              exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
       ) it (has_owner, is_below_guarded, is_below)
 where c.relkind in ('r', 'p', 'f')
   and c.oid >= 16384
   and not c.relrowsecurity
   -- partition_reachable and table_not_enabled report these
   and not it.is_below_guarded
   and not (it.has_owner and (it.is_below or c.relkind <> 'f'));
