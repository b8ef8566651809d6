-- trigger_definer · warn
-- A trigger on a guarded table runs as somebody else.
--
-- A SECURITY DEFINER trigger function is handed every row that is written, and does with it what
-- its owner may: read and write past the policies. An audit log may be meant so; then this is to
-- be known.
-- Who: whoever may read what it writes, or steer it by what a row says.
-- Source: PostgreSQL manual, Trigger Functions; CREATE FUNCTION (SECURITY DEFINER).

select 'trigger_definer' as id,
       'warn' as level,
       format('%s, trigger %I', c.oid::regclass, t.tgname) as object,
       format('runs %s, which is SECURITY DEFINER, as %s', f.oid::regprocedure,
              f.proowner::regrole) as detail,
       'Whoever may read what it writes, or steer it by what a row says.' as exploit,
       format('alter function %s security invoker;', f.oid::regprocedure) as mend
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid and c.relrowsecurity
  join pg_catalog.pg_proc f on f.oid = t.tgfoid and f.prosecdef
 where not t.tgisinternal
   and t.tgenabled <> 'D';
