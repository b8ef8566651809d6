-- policy_volatile_helper · error
-- A policy calls a VOLATILE function.
--
-- A volatile function is called anew for each row, can answer differently in the middle of a
-- statement, can write, and keeps the condition from being used by an index. It is what a function
-- is when nobody says otherwise. A restrictive policy asks it as well.
-- Who: whoever finds a moment at which it answers differently.
-- Source: PostgreSQL manual, Function Volatility Categories.

select 'policy_volatile_helper' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('calls %s, which is VOLATILE', f.oid::regprocedure) as detail,
       'Anybody, at a moment at which it answers differently; and by the time it takes.' as exploit,
       case when f.pronamespace = 'pg_catalog'::regnamespace
            then format('-- %s cannot be part of a policy; write it without', f.oid::regprocedure)
            else format('alter function %s stable;', f.oid::regprocedure) end as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct found[1]::oid
         from regexp_matches(concat(p.polqual::text, p.polwithcheck::text),
                             ':(?:op)?funcid (\d+)', 'g') as found) called (oid)
  join pg_catalog.pg_proc f on f.oid = called.oid
 where exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and f.provolatile = 'v';
