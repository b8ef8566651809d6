-- table_not_forced · error
-- A table's owner is not bound by its policies.
--
-- Without FORCE the owner of a table reads and writes past its policies. A server that is pointed
-- at the owner's URL by mistake then serves everybody's rows to everybody, and nothing fails.
-- Source: PostgreSQL manual, Row Security Policies.

select 'table_not_forced' as id,
       'error' as level,
       c.oid::regclass::text as object,
       'row level security is enabled but not forced' as detail,
       format('Whoever connects as the owner, %s.', c.relowner::regrole) as exploit,
       format('alter table %s force row level security;', c.oid::regclass) as mend
  from pg_catalog.pg_class c
 where c.relkind in ('r', 'p')
   and c.oid >= 16384
   and c.relrowsecurity and not c.relforcerowsecurity;
