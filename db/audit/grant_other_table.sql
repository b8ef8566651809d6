-- grant_other_table · error
-- The serving role reaches a table in which no row belongs to anybody.
--
-- Without an owner column, and without row security, a grant is a grant on every row: the
-- migration tool's bookkeeping, a copy somebody made, a foreign table (which knows no row
-- security at all). Whoever may write the bookkeeping makes the next migration skip. What an
-- extension brought along is not counted.
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
 where c.relkind in ('r', 'p', 'f')
   and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
   and has_schema_privilege(app.oid, c.relnamespace, 'usage')
   and not c.relrowsecurity
   and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
   and (c.relkind = 'f'
        or not exists (select from pg_catalog.pg_attribute u
                        where u.attrelid = c.oid and not u.attisdropped
                          and u.attname = current_setting('audit.owner_column')))
   and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid
                      and e.deptype = 'e');
