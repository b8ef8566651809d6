-- policy_always_true · error
-- A policy lets every row through.
--
-- Its expression looks at no column (`true`, `1 = 1`, "somebody is signed in"), or compares a
-- column with itself, or asks only that there is an owner. Permissive policies are joined by OR:
-- one of these undoes all the others of its command.
-- Who: anybody served, as soon as one statement forgets its filter.
-- Source: PostgreSQL manual, CREATE POLICY (permissive policies are combined using OR).

select 'policy_always_true' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('%s (%s) does not depend on whose row it is', e.clause, it.expression) as detail,
       'Anybody served, as soon as one statement forgets its filter.' as exploit,
       format('alter policy %I on %s %s (%I = (select current_setting(%L, true)));',
              p.polname, c.oid::regclass, e.clause, current_setting('audit.owner_column'),
              current_setting('audit.setting')) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       values ('using', p.polqual), ('with check', p.polwithcheck)) e (clause, tree)
 cross join lateral (select pg_get_expr(e.tree, p.polrelid)) it (expression)
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and it.expression <> 'false'
   -- A column is a Var in the tree.
   and (e.tree::text !~ '\{VAR '
        or it.expression ~ '^\(?(\w+)( = \1| IS NOT NULL)\)?$');
