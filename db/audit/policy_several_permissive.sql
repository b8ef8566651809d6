-- policy_several_permissive · error
-- Several permissive policies hold for one command.
--
-- They are joined by OR: a row passes if any of them lets it. To know what a role may do one has
-- to read them all, and the weakest wins. A policy for ALL counts for each command.
-- Who: anybody served, by the weakest of them.
-- Source: PostgreSQL manual, CREATE POLICY (permissive policies are combined using OR).

select 'policy_several_permissive' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has %s permissive policies: %s', command.name, count(*),
              string_agg(quote_ident(p.polname), ', ' order by p.polname)) as detail,
       'Anybody served, by the weakest of them.' as exploit,
       format('-- keep one of them: drop policy ... on %s;', c.oid::regclass) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
  join (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete'))
       as command (code, name) on p.polcmd in (command.code::"char", '*')
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
 group by c.oid, command.name
having count(*) > 1;
