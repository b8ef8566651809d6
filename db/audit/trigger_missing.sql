-- trigger_missing · error
-- A trigger function stands beside guarded tables, and no trigger calls it.
--
-- The trigger was dropped and its function was not: what it kept true of the rows (the version that
-- a change is checked against, the date of the last change) is kept by nobody, and nothing fails.
-- Counted are trigger functions in the schema of a guarded table.
-- Who: whoever relies on what it did.
-- Source: PostgreSQL manual, Trigger Functions; DROP TRIGGER.

select 'trigger_missing' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       'is a trigger function, and no trigger calls it' as detail,
       'Whoever relies on what it did: a change that is based on an old row is not noticed.'
         as exploit,
       format('-- make its trigger again, or: drop function %s;', f.oid::regprocedure) as mend
  from pg_catalog.pg_proc f
 where f.prorettype = 'trigger'::regtype
   and f.oid >= 16384
   and exists (select from pg_catalog.pg_class c
                where c.relnamespace = f.pronamespace and c.relrowsecurity)
   and not exists (select from pg_catalog.pg_trigger t where t.tgfoid = f.oid)
   and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_proc'::regclass and e.objid = f.oid
                      and e.deptype = 'e');
