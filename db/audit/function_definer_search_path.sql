-- function_definer_search_path · error
-- A SECURITY DEFINER function finds its tables by its caller's search path.
--
-- It runs with its owner's privileges, and resolves names by the path of whoever calls it. A table
-- or an operator of the same name in front of the real one runs as the owner. A path without
-- pg_temp has it first, for tables. (An empty path makes every name qualified, and is fine.)
-- Who: whoever may execute it and make anything at all. CVE-2018-1058, CVE-2007-2138.
-- Source: PostgreSQL manual, CREATE FUNCTION (Writing SECURITY DEFINER Functions Safely).

select 'function_definer_search_path' as id,
       'error' as level,
       f.oid::regprocedure::text as object,
       case when path.value is null then 'is SECURITY DEFINER without a search_path of its own'
            else format('is SECURITY DEFINER, and its search_path (%s) does not end in pg_temp',
                        path.value) end as detail,
       format('Whoever may call it, by an object in front of a real one: runs SQL as %s.',
              f.proowner::regrole) as exploit,
       format('alter routine %s set search_path = %s, pg_temp;', f.oid::regprocedure,
              coalesce(regexp_replace(path.value, '"?pg_temp"?, *', '', 'g'),
                       f.pronamespace::regnamespace::text)) as mend
  from pg_catalog.pg_proc f
  left join lateral (
       select substring(s from '=(.*)$')
         from unnest(f.proconfig) s where starts_with(s, 'search_path=')) path (value) on true
 where f.prosecdef
   and (path.value is null
        or path.value not in ('', '""')
           and (path.value !~ '(^|[, ])"?pg_temp"?$' or path.value ~ '\mpg_temp"?,'));
