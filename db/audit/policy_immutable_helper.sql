-- policy_immutable_helper · error
-- A policy calls an IMMUTABLE function that depends on who is asking.
--
-- PostgreSQL may call an immutable function while planning and keep the answer in the plan. A
-- cached plan (every prepared statement has one) then shows the rows of whoever came first to
-- everybody after.
-- Who: the next user on the same pooled connection, without doing anything.
-- Source: PostgreSQL manual, Function Volatility Categories.

select 'policy_immutable_helper' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('calls %s, which is IMMUTABLE', f.oid::regprocedure) as detail,
       'The next user on the same connection sees the rows of the one before.' as exploit,
       format('alter function %s stable;', f.oid::regprocedure) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
  join pg_catalog.pg_depend d
       on d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
      and d.refclassid = 'pg_catalog.pg_proc'::regclass
  join pg_catalog.pg_proc f on f.oid = d.refobjid
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and f.provolatile = 'i'
   and (f.pronargs = 0
        or coalesce(pg_get_function_sqlbody(f.oid), f.prosrc)
           ~* '\m(current_setting|current_user|session_user|now|current_timestamp|from)\M');
