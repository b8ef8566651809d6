-- function_leakproof · error
-- A function of one's own is trusted to see rows before the policies do.
--
-- A condition that is LEAKPROOF may be evaluated before the policy's. If the function then raises,
-- logs or takes longer for some value, it tells about rows nobody may see. Only a superuser can
-- mark one so, and PostgreSQL believes it.
-- Who: whoever may call it in a where.
-- Source: PostgreSQL manual, Row Security Policies; Rules and Privileges; CREATE FUNCTION
-- (LEAKPROOF).

select 'function_leakproof' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       'is LEAKPROOF and may be called by the serving role' as detail,
       'Anybody served, by a condition that calls it.' as exploit,
       format('alter function %s not leakproof;', f.oid::regprocedure) as mend
  from pg_catalog.pg_proc f
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 where f.proleakproof
   and f.pronamespace::regnamespace::text !~ '^(pg_|information_schema$)'
   and has_schema_privilege(app.oid, f.pronamespace, 'usage')
   and has_function_privilege(app.oid, f.oid, 'execute')
   and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = f.oid
                      and e.deptype = 'e');
