-- function_definer_public · error
-- The serving role reaches a function that runs as somebody else.
--
-- A SECURITY DEFINER function runs with its owner's privileges and policies: as an owner that
-- bypasses row security it hands out every row. PUBLIC may execute a new function unless somebody
-- takes that away, and USAGE on its schema is not asked of what calls it: a view, an operator, a
-- cast, a default, an aggregate, an index, a policy, a domain's check, another function's body. So
-- it counts if the role may execute it, wherever it is and whoever brought it, and also if anything
-- in the database depends on it, for an aggregate, a default or a materialized view need not ask
-- the role. Trigger functions cannot be called (trigger_definer looks at those). Nobody sees into
-- a body that is a text, in which another function calls it.
-- Who: anybody served, by one call.
-- Source: PostgreSQL manual, CREATE FUNCTION; Function Security; pg_depend.

select 'function_definer_public' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       concat_ws(', and ', format('is SECURITY DEFINER, owned by %s', f.proowner::regrole),
                 executed.by || ' may execute it', used.by || ' depends on it') as detail,
       format('Anybody served: reaches it, and it runs as %s.', f.proowner::regrole) as exploit,
       case when used.by is null
            then format('revoke execute on routine %s from %s;', f.oid::regprocedure, executed.by)
            else format('-- take it out of %s, or: alter routine %s security invoker;', used.by,
                        f.oid::regprocedure) end as mend
  from pg_catalog.pg_proc f
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select string_agg(distinct case a.grantee when 0 then 'public'
                                       else a.grantee::regrole::text end, ', ')
         from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
        where a.grantee <> f.proowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) executed (by)
 cross join lateral (
       select min(format('%s %s', named.type, named.identity))
         from pg_catalog.pg_depend d
        cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) named
        where d.refclassid = 'pg_proc'::regclass and d.refobjid = f.oid) used (by)
 where f.prosecdef
   and f.proowner <> app.oid
   and f.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
   and coalesce(executed.by, used.by) is not null;
