-- table_without_policy · warn
-- A table is granted to the serving role, but no policy lets a row through.
--
-- With row security enabled and no permissive policy every statement quietly finds nothing. That
-- is the safe state, and a trap: the next one who wonders will disable row security to "mend" it.
-- Source: PostgreSQL manual, Row Security Policies (default deny).

select 'table_without_policy' as id,
       'warn' as level,
       c.oid::regclass::text as object,
       'is granted to the serving role, to which no permissive policy applies'
         as detail,
       'Nobody; every statement finds nothing.' as exploit,
       format('revoke all on %s from %I; -- or write its policies', c.oid::regclass,
              app.rolname) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 where c.relkind in ('r', 'p')
   and c.oid >= 16384
   and c.relrowsecurity
   and (has_table_privilege(app.oid, c.oid, 'select, insert, update, delete')
        or has_any_column_privilege(app.oid, c.oid, 'select, insert, update'))
   and not exists (select
                     from pg_catalog.pg_policy p
                    cross join unnest(p.polroles) as r (role)
                    where p.polrelid = c.oid and p.polpermissive
                      and (r.role in (0, app.oid)
                         or not app.rolsuper and pg_has_role(app.oid, r.role, 'member')));
