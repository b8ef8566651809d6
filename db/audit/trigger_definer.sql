-- trigger_definer · error
-- A trigger on a guarded table runs as somebody else.
--
-- A SECURITY DEFINER trigger function is handed every row that is written, and does with it what
-- its owner may: read and write past the policies. A trigger on a partition or child of the table
-- is handed the rows that are kept there.
-- Who: whoever may read what it writes, or steer it by what a row says.
-- Source: PostgreSQL manual, Trigger Functions; CREATE FUNCTION (SECURITY DEFINER).

with recursive guarded (oid) as (
    select c.oid from pg_catalog.pg_class c where c.relrowsecurity
     union
    select i.inhrelid from pg_catalog.pg_inherits i join guarded on guarded.oid = i.inhparent
)
select 'trigger_definer' as id,
       'error' as level,
       format('%s, trigger %I', c.oid::regclass, t.tgname) as object,
       format('runs %s, which is SECURITY DEFINER, as %s', f.oid::regprocedure,
              f.proowner::regrole) as detail,
       'Whoever may read what it writes, or steer it by what a row says.' as exploit,
       format('drop trigger %I on %s;%s', t.tgname, c.oid::regclass,
              case when not exists (select from pg_catalog.pg_trigger other
                                     where other.tgfoid = f.oid and other.oid <> t.oid)
                   then format(' drop function %s;', f.oid::regprocedure) end) as mend
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  left join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
  join pg_catalog.pg_proc f on f.oid = t.tgfoid and f.prosecdef
 where not t.tgisinternal
   and (c.oid in (select oid from guarded)
        or c.relkind = 'v'
           and has_table_privilege(app.oid, c.oid, 'select, insert, update, delete'));
