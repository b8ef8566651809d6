-- role_owns_function · error
-- The serving role owns a function.
--
-- Triggers, policies and defaults call functions with the caller's or the owner's privileges. Who
-- owns one changes what it does, for everybody who calls it.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Function Security.

select 'role_owns_function' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       'belongs to the serving role' as detail,
       'Whoever runs SQL as the serving role: alter or replace it; others run the result.'
         as exploit,
       format('alter routine %s owner to %I;', f.oid::regprocedure, owner.rolname) as mend
  from pg_catalog.pg_proc f
  join pg_catalog.pg_roles app on app.oid = f.proowner
                             and app.rolname = current_setting('audit.role')
  join pg_catalog.pg_database d on d.datname = current_database()
  join pg_catalog.pg_roles owner on owner.oid = d.datdba
 where f.pronamespace::regnamespace::text !~ '^pg_temp';
