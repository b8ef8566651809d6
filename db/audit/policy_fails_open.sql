-- policy_fails_open · error
-- A policy lets rows through when nobody has said who is asking.
--
-- The setting is NULL in a fresh session and '' in a used one. `owner = NULL` is not true, and
-- that is the wall. OR, COALESCE, CASE, IS [NOT] DISTINCT FROM and IS NOT FALSE turn an unknown
-- caller into a yes: `or current_setting(...) is null`, `coalesce(current_setting(...), owner)`.
-- Any OR is reported: it is one arm more to be right. A helper function with one of them counts
-- as well.
-- Who: every code path that forgets to say who is asking.
-- Source: PostgreSQL manual, Row Security Policies; Comparison Functions and Operators.

select 'policy_fails_open' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('%s (%s) has %s', e.clause, it.expression, it.smell) as detail,
       'Every code path that forgets to set the identity.' as exploit,
       format('alter policy %I on %s %s (%I = (select current_setting(%L, true)));',
              p.polname, c.oid::regclass, e.clause, current_setting('audit.owner_column'),
              current_setting('audit.setting')) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       values ('using', p.polqual), ('with check', p.polwithcheck)) e (clause, tree)
 cross join lateral (
       select pg_get_expr(e.tree, p.polrelid),
              -- coalesce(setting, '') does no harm: no row belongs to ''.
              regexp_replace(pg_get_expr(e.tree, p.polrelid),
                  $$COALESCE\((\( SELECT )?current_setting\([^()]*\)[^(),]*\)?, ''::text\)$$,
                  '', 'g')) x (expression, rest)
 cross join lateral (
       select x.expression,
              concat_ws(', ',
                  case when e.tree::text ~ '\{BOOLEXPR :boolop or ' then 'OR' end,
                  case when x.rest ~ '\mCOALESCE\M' then 'COALESCE' end,
                  case when e.tree::text ~ '\{CASE(EXPR)? ' then 'CASE' end,
                  case when e.tree::text ~ '\{DISTINCTEXPR ' then 'IS DISTINCT FROM' end,
                  case when e.tree::text ~ '\{BOOLEANTEST .*:booltesttype [134] '
                       then 'IS NOT FALSE, IS NOT TRUE or IS UNKNOWN' end,
                  (select 'one of these in the helper ' || min(f.oid::regprocedure::text)
                     from pg_catalog.pg_depend d
                     join pg_catalog.pg_proc f on f.oid = d.refobjid
                    where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
                      and d.refclassid = 'pg_catalog.pg_proc'::regclass
                      and regexp_replace(
                              coalesce(pg_get_function_sqlbody(f.oid), f.prosrc),
                              $$coalesce\(current_setting\([^()]*\),\s*''(::text)?\)$$, '', 'gi')
                          ~* '\m(or|coalesce|case|is\s+(not\s+)?distinct\s+from)\M'
                      -- coalesce of nothing but settings, as auth.uid() has it, names no default
                      and coalesce(pg_get_function_sqlbody(f.oid), f.prosrc)
                          !~* ('^\s*select\s+((coalesce|nullif)\s*\(|current_setting\s*\('
                               '''[\w.-]+''\s*,\s*true\s*\)|->>?\s*''\w+''|'
                               '::\s*(text|uuid|int|integer|bigint|json|jsonb)\M|''''|[(),\s])+;?\s*$')))
       ) it (expression, smell)
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and e.tree is not null
   and it.smell <> '';
