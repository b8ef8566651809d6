-- publication_unfiltered · error
-- A publication sends the rows of a guarded table elsewhere.
--
-- Logical replication sends rows without asking policies, and the subscriber's table has those that
-- somebody gave it there, if any. A row filter is no policy: `where (owner <> '')` lets every row
-- through. So each publication of a guarded table, of a partition or child of one, or of another
-- table with an owner column counts, by name, by schema or of all tables.
-- Who: whoever may read the subscriber's copy, or connect with REPLICATION.
-- Source: PostgreSQL manual, Logical Replication (Row Filters; Security).

with recursive guarded (oid) as (
    select c.oid
      from pg_catalog.pg_class c
     where c.relrowsecurity
        or c.relkind in ('r', 'p') and c.oid >= 16384
           and exists (select from pg_catalog.pg_attribute u
                        where u.attrelid = c.oid and not u.attisdropped
                          and u.attname = current_setting('audit.owner_column'))
     union
    select i.inhrelid from pg_catalog.pg_inherits i join guarded on guarded.oid = i.inhparent
)
select 'publication_unfiltered' as id,
       'error' as level,
       it.publication::text as object,
       format('publishes %s %s%s',
              string_agg(it.relation::text, ', ' order by it.relation::text), it.by,
              case when bool_or(it.filtered) then ', with a row filter' end) as detail,
       'Whoever may read the copy at the subscriber.' as exploit,
       case it.by
       when 'by name'
       then string_agg(format('alter publication %I drop table %s;', it.publication, it.relation),
                       ' ')
       when 'for all tables'
       then format('-- drop publication %I; or name its tables, without the guarded ones',
                   it.publication)
       else format('alter publication %I drop tables %s;', it.publication, it.by) end as mend
  from (select p.pubname, c.oid::regclass, 'by name', r.prqual is not null
          from pg_catalog.pg_publication_rel r
          join pg_catalog.pg_publication p on p.oid = r.prpubid
          join pg_catalog.pg_class c on c.oid = r.prrelid and c.oid in (select oid from guarded)
        union all
        select p.pubname, c.oid::regclass, format('in schema %s', r.pnnspid::regnamespace),
               false
          from pg_catalog.pg_publication_namespace r
          join pg_catalog.pg_publication p on p.oid = r.pnpubid
          join pg_catalog.pg_class c on c.relnamespace = r.pnnspid and c.oid in (select oid from guarded)
        union all
        select p.pubname, c.oid::regclass, 'for all tables', false
          from pg_catalog.pg_publication p
          join pg_catalog.pg_class c on c.oid in (select oid from guarded)
         where p.puballtables) it (publication, relation, by, filtered)
 group by it.publication, it.by;
