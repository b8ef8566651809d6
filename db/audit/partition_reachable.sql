-- partition_reachable · error
-- A partition or child of a guarded table is reachable directly, without row security of its own.
--
-- The policies of a parent hold for queries that name the parent. A query that names the partition
-- is bound by the partition's own flags and policies alone. Partitions need no grants: whoever may
-- use the parent reaches them through it.
-- Who: whoever can run SQL as the serving role: select from the partition.
-- Source: PostgreSQL manual, Row Security Policies; Table Partitioning; Inheritance.

select 'partition_reachable' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('is a child of %s, and %s may use it directly, with row level security %s',
              i.inhparent::regclass, g.grantee,
              case when c.relrowsecurity then 'not forced' else 'not enabled' end) as detail,
       format('Whoever runs SQL as the serving role: select from %s.', c.oid::regclass) as exploit,
       format('revoke all on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_inherits i on i.inhrelid = c.oid
  join pg_catalog.pg_class parent on parent.oid = i.inhparent
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from (select grantee from aclexplode(c.relacl)
               union
               select (aclexplode(att.attacl)).grantee
                 from pg_catalog.pg_attribute att where att.attrelid = c.oid) a
        where a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where c.relkind in ('r', 'p', 'f')
   and c.oid >= 16384
   and not (c.relrowsecurity and c.relforcerowsecurity)
   and (parent.relrowsecurity
        or exists (select from pg_catalog.pg_attribute u
                    where u.attrelid = c.oid and not u.attisdropped
                      and u.attname = current_setting('audit.owner_column')));
