-- owner_column_nullable · error
-- A row can belong to nobody.
--
-- A row whose owner is NULL is hidden by `owner = ...` and shown by every careless `is not
-- distinct from` and `or owner is null`. NOT NULL keeps it from existing. On PostgreSQL 18 a NOT
-- NULL constraint that is not valid yet says nothing about the rows there are.
-- Source: PostgreSQL manual, Constraints.

select 'owner_column_nullable' as id,
       'error' as level,
       format('%s.%I', c.oid::regclass, u.attname) as object,
       case when u.attnotnull then 'has a NOT NULL constraint that is not valid'
            else 'may be NULL' end as detail,
       'Anybody, by a policy or a query that meets NULL with NULL.' as exploit,
       case when u.attnotnull
            then format('alter table %s validate constraint %I;', c.oid::regclass, con.conname)
            else format('alter table %s alter %I set not null;', c.oid::regclass, u.attname) end
         as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute u
       on u.attrelid = c.oid and not u.attisdropped
      and u.attname = current_setting('audit.owner_column')
  left join pg_catalog.pg_constraint con
       on con.conrelid = c.oid and con.contype = 'n' and con.conkey = array[u.attnum]
      and not con.convalidated
 where c.relkind in ('r', 'p') and not c.relispartition
   and (c.relrowsecurity or c.relnamespace::regnamespace::text = 'public')
   and (not u.attnotnull or con.oid is not null);
