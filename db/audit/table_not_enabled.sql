-- table_not_enabled · error
-- A table of people's rows has no row security.
--
-- Policies on a table do nothing until row security is enabled; without it a grant is a grant on
-- everybody's rows. Counted are tables with an owner column: those in schema public, and those
-- elsewhere that the serving role, or a role that it is a member of, can reach. Partitions have a check of their own
-- (partition_reachable).
-- Who: anybody served, as soon as one statement forgets its filter.
-- Source: PostgreSQL manual, Row Security Policies.

select 'table_not_enabled' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('has a column %I and no row level security', u.attname) as detail,
       'Anybody served, as soon as one statement forgets its filter.' as exploit,
       format('alter table %s enable row level security; '
              'alter table %1$s force row level security;', c.oid::regclass) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute u
       on u.attrelid = c.oid and not u.attisdropped
      and u.attname = current_setting('audit.owner_column')
  left join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 where c.relkind in ('r', 'p')
   and c.oid >= 16384
   and not c.relrowsecurity
   and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = c.oid)
   and (c.relnamespace::regnamespace::text = 'public'
        or exists (
            select from (select grantee from aclexplode(c.relacl)
                          union all
                         select (aclexplode(att.attacl)).grantee
                           from pg_catalog.pg_attribute att where att.attrelid = c.oid) a
             where a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member')));
