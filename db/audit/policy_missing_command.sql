-- policy_missing_command · warn
-- The serving role was granted a command for which it has no policy.
--
-- The statement succeeds and touches nothing (or an insert fails), which looks like a bug in the
-- program; the next one who wonders writes a policy for ALL.
-- Source: PostgreSQL manual, Row Security Policies (default deny).

select 'policy_missing_command' as id,
       'warn' as level,
       c.oid::regclass::text as object,
       format('%I may %s, but no permissive policy is for that', app.rolname, command.name)
         as detail,
       'Nobody; every such statement touches nothing.' as exploit,
       format('create policy %I on %s for %s to %I %s;',
              concat_ws('_', c.relname, command.name,
                        case when exists (select from pg_catalog.pg_policy taken
                                           where taken.polrelid = c.oid
                                             and taken.polname = c.relname || '_' || command.name)
                             then 'own' end),
              c.oid::regclass, command.name, app.rolname,
              replace(command.clauses, '?',
                      format('(%I = (select current_setting(%L, true)))',
                             current_setting('audit.owner_column'),
                             current_setting('audit.setting')))) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join (values ('r', 'select', 'using ?'), ('a', 'insert', 'with check ?'),
                    ('w', 'update', 'using ? with check ?'), ('d', 'delete', 'using ?')
            ) as command (code, name, clauses)
 cross join lateral (
       select count(*), count(*) filter (where p.polcmd in (command.code::"char", '*'))
         from pg_catalog.pg_policy p
        where p.polrelid = c.oid and p.polpermissive
          and exists (select from unnest(p.polroles) as r (role)
                       where r.role in (0, app.oid)
                          or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
       ) policies (of_all, of_this)
 where c.relkind in ('r', 'p')
   and c.relrowsecurity
   and policies.of_all > 0 and policies.of_this = 0
   and case command.name
       when 'delete' then has_table_privilege(app.oid, c.oid, 'delete')
       else has_any_column_privilege(app.oid, c.oid, command.name) end;
