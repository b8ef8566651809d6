-- table_inherited · error
-- A table without policies shows the rows of a guarded one, or takes them.
--
-- A query that names a parent is bound by the parent's policies, and sees the rows of its children:
-- `alter table ... inherit` opens a guarded table to whoever may read the parent, or a view of it.
-- A foreign table among the children sends rows to where no policy is.
-- Who: whoever may read the parent, now or later.
-- Source: PostgreSQL manual, Inheritance; Row Security Policies.

select 'table_inherited' as id,
       'error' as level,
       other.oid::regclass::text as object,
       case when other.oid = i.inhparent
            then format('is a parent of %s, without row security that is forced', c.oid::regclass)
            else format('is a foreign table below %s', c.oid::regclass) end as detail,
       format('Whoever may use %s: it is not bound by the policies of %s.', other.oid::regclass,
              c.oid::regclass) as exploit,
       case when c.relispartition
            then format('alter table %s detach partition %s;', i.inhparent::regclass,
                        i.inhrelid::regclass)
            else format('alter table %s no inherit %s;', i.inhrelid::regclass,
                        i.inhparent::regclass) end as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_inherits i on c.oid in (i.inhrelid, i.inhparent)
  join pg_catalog.pg_class other
       on other.oid in (i.inhrelid, i.inhparent) and other.oid <> c.oid
 where c.relkind in ('r', 'p') and c.relrowsecurity
   and (other.oid = i.inhparent and not (other.relrowsecurity and other.relforcerowsecurity)
        or other.oid = i.inhrelid and other.relkind = 'f');
