-- policy_unwrapped_setting · warn
-- A policy looks the caller up once a row instead of once a statement.
--
-- `(select current_setting(...))` is an init plan: evaluated once, and then an index condition.
-- Bare, it is called for each row that the statement touches, and so is a helper function.
-- Who: nobody; every statement is slower the more rows there are, which a stranger can time.
-- Source: PostgreSQL manual, Function Volatility Categories; EXPLAIN (InitPlan).

select 'policy_unwrapped_setting' as id,
       'warn' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('%s (%s) calls %s outside of a (select ...)', e.clause, it.expression, bare.name)
         as detail,
       'Nobody; every statement is slower the more rows there are.' as exploit,
       format('alter policy %I on %s %s (%s);', p.polname, c.oid::regclass, e.clause,
              regexp_replace(it.expression, bare.pattern || '\([^()]*\)', '(select \&)', 'g'))
         as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       values ('using', p.polqual), ('with check', p.polwithcheck)) e (clause, tree)
 cross join lateral (
       select pg_get_expr(e.tree, p.polrelid),
              -- without its sub-selects, whose parentheses go four deep
              regexp_replace(pg_get_expr(e.tree, p.polrelid),
                  '\( ?SELECT ([^()]|\(([^()]|\(([^()]|\([^()]*\))*\))*\))*\)', '', 'g')
       ) it (expression, outside)
 cross join lateral (
       select 'current_setting', '\mcurrent_setting'
       union
       select f.proname::text, '(\w+\.)?\m' || f.proname
         from pg_catalog.pg_depend d
         join pg_catalog.pg_proc f on f.oid = d.refobjid
        where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
          and d.refclassid = 'pg_catalog.pg_proc'::regclass
          and f.pronargs = 0
          and coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) ~* 'current_setting'
       ) bare (name, pattern)
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and it.outside ~ (bare.pattern || '\(');
