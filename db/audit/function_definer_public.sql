-- function_definer_public · error
-- The serving role may call a function that runs as somebody else.
--
-- A SECURITY DEFINER function runs with its owner's privileges and policies: as an owner that
-- bypasses row security it hands out every row. PUBLIC may execute a new function unless somebody
-- takes that away. Trigger functions cannot be called (trigger_definer looks at those).
-- Who: anybody served, by one call.
-- Source: PostgreSQL manual, CREATE FUNCTION; Function Security.

select 'function_definer_public' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       format('is SECURITY DEFINER, owned by %s, and %s may execute it', f.proowner::regrole,
              g.grantee) as detail,
       format('Anybody served: calls it, and it runs as %s.', f.proowner::regrole)
         as exploit,
       format('revoke execute on routine %s from %s;', f.oid::regprocedure, g.grantee) as mend
  from pg_catalog.pg_proc f
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
        where a.grantee <> f.proowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where f.prosecdef
   and f.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
   and f.pronamespace::regnamespace::text !~ '^(pg_|information_schema$)'
   and has_schema_privilege(app.oid, f.pronamespace, 'usage')
   and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = f.oid
                      and e.deptype = 'e');
