-- unique_across_owners · error
-- A unique index of a guarded table holds across owners.
--
-- Uniqueness looks past policies: an insert that collides with somebody else's row fails, which
-- tells that it is there, and its error may show it. A key over the identity alone is one of
-- these. With the owner among the columns, owners can collide only with themselves.
-- Who: anybody who may insert or update. CVE-2026-120154 made ON CONFLICT show such a row.
-- Source: PostgreSQL manual, Row Security Policies (unique constraints bypass row security).

select 'unique_across_owners' as id,
       'error' as level,
       format('%s, %s', t.oid::regclass, x.indexrelid::regclass) as object,
       format('%s, without %I',
              coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(x.indexrelid)),
              current_setting('audit.owner_column')) as detail,
       'Anybody served: an insert that fails tells that the row exists.' as exploit,
       case when k.contype in ('p', 'u')
            then format('%salter table %s drop constraint %I, add constraint %3$I %s;',
                        case when exists (select from pg_catalog.pg_constraint fk
                                           where fk.conindid = x.indexrelid and fk.contype = 'f')
                             then '-- first the foreign keys that point at it, then ' end,
                        t.oid::regclass, k.conname,
                        regexp_replace(pg_get_constraintdef(k.oid), '\(',
                                       format('(%I, ', current_setting('audit.owner_column'))))
            when k.contype is null
            then format('drop index %s; %s;', x.indexrelid::regclass,
                        regexp_replace(pg_get_indexdef(x.indexrelid),
                                       ' USING (\w+) \(',
                                       format(' USING \1 (%I, ',
                                              current_setting('audit.owner_column'))))
            else format('-- alter table %s drop constraint %I; then exclude with %I first',
                        t.oid::regclass, k.conname, current_setting('audit.owner_column')) end
         as mend
  from pg_catalog.pg_index x
  join pg_catalog.pg_class t on t.oid = x.indrelid and t.relrowsecurity
  join pg_catalog.pg_class i on i.oid = x.indexrelid and not i.relispartition
  left join pg_catalog.pg_constraint k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
 where (x.indisunique or x.indisexclusion)
   and not exists (
       select
         from unnest(x.indkey::int2[]) with ordinality as key (attnum, position)
         join pg_catalog.pg_attribute u
              on u.attrelid = x.indrelid and u.attnum = key.attnum
             and u.attname = current_setting('audit.owner_column')
        where key.position <= x.indnkeyatts);
