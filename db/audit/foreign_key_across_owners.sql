-- foreign_key_across_owners · error
-- A foreign key to a guarded table holds across owners.
--
-- Foreign keys look past policies. If the owner column is not part of both sides, a row can point
-- at somebody else's: whether the insert succeeds tells that the row is there, and `on delete`
-- reaches across.
-- Who: anybody who may insert into the referencing table.
-- Source: PostgreSQL manual, Row Security Policies (referential integrity bypasses row security).

select 'foreign_key_across_owners' as id,
       'error' as level,
       format('%s, constraint %I', k.conrelid::regclass, k.conname) as object,
       format('%s, without %I on both sides', pg_get_constraintdef(k.oid),
              current_setting('audit.owner_column')) as detail,
       'Anybody served: a reference tells whether the row exists.' as exploit,
       format('-- alter table %s drop constraint %I; then make it (%I, ...) references %s (%3$I, ...)',
              k.conrelid::regclass, k.conname, current_setting('audit.owner_column'),
              k.confrelid::regclass) as mend
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_class t on t.oid = k.confrelid and t.relrowsecurity
 where k.contype = 'f'
   and k.conparentid = 0
   and not exists (
       select
         from unnest(k.conkey, k.confkey) as pair (here, there)
         join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.here
         join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.there
        where a.attname = current_setting('audit.owner_column') and b.attname = a.attname);
