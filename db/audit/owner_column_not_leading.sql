-- owner_column_not_leading · warn
-- No index starts with the owner.
--
-- The policy adds `owner = ...` to every statement. Without an index that starts with the owner
-- each of them reads the rows of everybody to find those of one, and its duration tells how many
-- rows the others have.
-- Source: PostgreSQL manual, Multicolumn Indexes; Rules and Privileges (leakproof conditions).

select 'owner_column_not_leading' as id,
       'warn' as level,
       format('%s.%I', c.oid::regclass, u.attname) as object,
       'is not the first column of any valid, complete index' as detail,
       'Nobody directly; every statement reads everybody''s rows, and takes as long.' as exploit,
       format('create index on %s (%I);', c.oid::regclass, u.attname) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute u
       on u.attrelid = c.oid and not u.attisdropped
      and u.attname = current_setting('audit.owner_column')
 where c.relkind in ('r', 'p') and not c.relispartition
   and (c.relrowsecurity or c.relnamespace::regnamespace::text = 'public')
   and not exists (select from pg_catalog.pg_index x
                    where x.indrelid = c.oid and x.indkey[0] = u.attnum
                      and x.indisvalid and x.indislive and x.indpred is null);
