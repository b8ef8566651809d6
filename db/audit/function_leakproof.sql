-- function_leakproof · error
-- A function of one's own is trusted to see rows before the policies do.
--
-- A condition that is LEAKPROOF may be evaluated before the policy's. If the function then raises,
-- logs or takes longer for some value, it tells about rows nobody may see. Only a superuser can
-- mark one so, and PostgreSQL believes it. An operator, a view or a cast calls it as well as a name
-- does, in whatever schema it is. PostgreSQL's own are builtin_changed's to judge.
-- Who: whoever may call it in a where.
-- Source: PostgreSQL manual, Row Security Policies; Rules and Privileges; CREATE FUNCTION
-- (LEAKPROOF).

select 'function_leakproof' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       'is LEAKPROOF' as detail,
       'Anybody served, by a condition that calls it.' as exploit,
       format('alter function %s not leakproof;', f.oid::regprocedure) as mend
  from pg_catalog.pg_proc f
 where f.proleakproof
   and f.oid >= 16384;
