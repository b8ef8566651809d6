-- trigger_on_table · error
-- A trigger on a guarded table does more than set columns, or is not in force.
--
-- A trigger function is handed every row that is written. pg_notify, a log table or another
-- setting's value carry it past the policies, and no text of a function says all that it does. So
-- one form is known to be good: `before ... for each row`, in PL/pgSQL, a function of the owner of
-- the table or of the database or of a superuser, not SECURITY DEFINER, with PostgreSQL's own schema
-- alone on its search_path, that assigns columns of the new row other than the owner's, out of the
-- rows' columns, numbers and a few functions of the time and of texts, and returns it. Its `when`
-- calls nothing that is volatile or not PostgreSQL's own. Known to be good, too, are the functions
-- that number this program's changes (db/migrations/0005.sync.sql), by the digest of their text: they
-- write whose row it is, an id and a number, to guarded tables, as who writes. Any other trigger of a guarded table, of
-- its partitions and children, or of a view that the serving role may use, counts. So does one that
-- is disabled or for replicas only, foreign keys included. (What is SECURITY DEFINER is reported by
-- trigger_definer.)
-- Who: whoever reads where the rows go; with a disabled one, whoever relies on what it did.
-- Source: PostgreSQL manual, Trigger Functions; NOTIFY; ALTER TABLE (DISABLE TRIGGER).

with recursive guarded (oid) as (
    select c.oid from pg_catalog.pg_class c where c.relrowsecurity
     union
    select i.inhrelid from pg_catalog.pg_inherits i join guarded on guarded.oid = i.inhparent
), numbering (digest) as (values
    ('390371277e865fbe9127a7d36de5f8bf6c7ae01df671b3fcb1ca97dfd402f926'),
    ('f1f16f7602a838dc361fe2b18ebbe95e1a701bf3063175e9676431aa252a5d0e'),
    ('f37e61089f8325f7b8173f50452cb1a39dc34a6cd7b32525aa59a8de70256124'),
    ('ab44cf6b64337b6a467a1c8e3189a93eb993fe349fb6a09cc2c60af82cff01a6')
), form (body, calls) as (values (
    '^\s*begin\s+(new\.\w+\s*:=\s*[\w\s.,()+*/|-]+;\s*)*return\s+new\s*;\s*end\s*;?\s*$',
    '^(greatest|least|coalesce|nullif|now|(clock|statement|transaction)_timestamp|lower|upper|btrim'
    '|ltrim|rtrim|left|right|char_length|make_time)$'
))
select 'trigger_on_table' as id,
       'error' as level,
       format('%s, trigger %I', c.oid::regclass, t.tgname) as object,
       case when t.tgenabled = 'D' then 'is disabled'
            when t.tgenabled = 'R' then 'fires for a replica only'
            else format('runs %s, which is not of the form that is known to be good',
                        f.oid::regprocedure) end as detail,
       case when t.tgenabled in ('D', 'R') then 'Whoever relies on what it did.'
            else 'Whoever reads where it sends the rows of everybody.' end as exploit,
       case when t.tgenabled in ('D', 'R')
            then format('alter table %s enable trigger %s;', c.oid::regclass,
                        case when t.tgisinternal then 'all' else quote_ident(t.tgname) end)
            when not owner.is_good
            then format('alter function %s owner to %s;', f.oid::regprocedure,
                        case c.relowner when app.oid then d.datdba::regrole
                                        else c.relowner::regrole end)
            else format('drop trigger %I on %s;%s', t.tgname, c.oid::regclass,
                        case when not exists (select from pg_catalog.pg_trigger other
                                               where other.tgfoid = f.oid and other.oid <> t.oid)
                             then format(' drop function %s;', f.oid::regprocedure) end) end as mend
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_proc f on f.oid = t.tgfoid
  join pg_catalog.pg_language l on l.oid = f.prolang
  left join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join form
  join pg_catalog.pg_database d on d.datname = current_database()
 cross join lateral (
       select exists (select from pg_catalog.pg_roles o
                       where o.oid = f.proowner
                         and (o.oid in (c.relowner, d.datdba) or o.rolsuper))
       ) owner (is_good)
 cross join lateral (
       select l.lanname = 'plpgsql'
              and owner.is_good
              and f.proconfig = array[coalesce(
                  (select s from unnest(f.proconfig) s
                    where s ~ '^search_path=(""|pg_catalog|pg_catalog, ?pg_temp)$'), '-')]
              and (encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex')
                   in (select digest from numbering)
              or t.tgtype & 67 = 3  -- for each row, before; not instead of
              and f.prosrc ~* form.body
              and f.prosrc !~* '\m(select|from|table|with|perform|execute|call)\M'
              and not exists (
                  select from regexp_matches(f.prosrc, '(\w+)\s*\(', 'g') as called
                   where called[1] !~* form.calls)
              and not exists (
                  select from regexp_matches(f.prosrc, 'new\.(\w+)\s*:=', 'gi') as assigned
                   where lower(assigned[1]) = lower(current_setting('audit.owner_column'))))
              and not exists (
                  select
                    from regexp_matches(t.tgqual::text, ':(?:op)?funcid (\d+)', 'g') as called
                    join pg_catalog.pg_proc q on q.oid = called[1]::oid
                   where q.provolatile = 'v' or q.oid >= 16384)) form_is (known)
 where (c.oid in (select oid from guarded)
        or c.relkind = 'v'
           and has_table_privilege(app.oid, c.oid, 'select, insert, update, delete'))
   and (t.tgenabled in ('D', 'R')
        or not t.tgisinternal and not f.prosecdef and form_is.known is not true);
