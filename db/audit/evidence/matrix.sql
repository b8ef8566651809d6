-- Who reaches what: role x relation x command, for task_app, PUBLIC, every owner and every
-- grantee, with the columns that may be written.
--
-- OWN ROWS is said only where every permissive policy is exactly
-- user_id = (select current_setting('app.user_id', true)); what is not shown to be a person's
-- own counts as ALL ROWS.

with relations as (
    select c.oid, quote_ident(c.relname) as name, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity
      from pg_catalog.pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
), roles (name, role) as (
    select 'task_app', to_regrole('task_app')::oid where to_regrole('task_app') is not null
    union select 'public', 0
    union select relowner::regrole::text, relowner from relations
    union select a.grantee::regrole::text, a.grantee
      from relations r cross join aclexplode(r.relacl) a where a.grantee <> 0
    union select a.grantee::regrole::text, a.grantee
      from relations r join pg_catalog.pg_attribute att on att.attrelid = r.oid
     cross join aclexplode(att.attacl) a where a.grantee <> 0
), policies as (
    select p.polrelid, p.polcmd, p.polroles,
           coalesce(pg_get_expr(p.polqual, p.polrelid) ~ own.form, true)
           and coalesce(pg_get_expr(p.polwithcheck, p.polrelid) ~ own.form, true)
           and (p.polqual is not null or p.polwithcheck is not null) as own
      from pg_catalog.pg_policy p
     cross join (values ('^\(user_id = \( SELECT current_setting\(''app\.user_id''::text, true\)'
                         ' AS current_setting\)\)$')) own (form)
     where p.polpermissive
), asked as (
    select o.name as role_name, o.role, r.*, command.name as command, command.code,
           case when command.name = 'DELETE' then has_table_privilege(o.name, r.oid, 'DELETE')
                else has_any_column_privilege(o.name, r.oid, command.name) end as granted
      from roles o cross join relations r
     cross join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd'))
                command (name, code)
), judged as (
select a.role_name::text as role, a.oid,
       a.name as relation,
       a.command::text as command,
       case
           when not a.granted then 'DENIED'
           when a.relkind not in ('r', 'p') or not a.relrowsecurity then 'ALL ROWS'
           when exists (select from pg_catalog.pg_roles s
                         where s.oid = a.role and (s.rolsuper or s.rolbypassrls)) then 'ALL ROWS'
           when a.role <> 0 and pg_has_role(a.role, a.relowner, 'usage')
                and not a.relforcerowsecurity then 'ALL ROWS'
           else coalesce((
               select case when bool_and(p.own) then 'OWN ROWS' else 'ALL ROWS' end
                 from policies p
                where p.polrelid = a.oid
                  and p.polcmd::text in (a.code, '*')
                  and exists (select from unnest(p.polroles) t
                               where t = 0 or (a.role <> 0 and pg_has_role(a.role, t, 'usage')))
               having count(*) > 0), 'DENIED')
       end as reach
  from asked a
)
select role, relation, command, reach,
       case when reach <> 'DENIED' and command in ('INSERT', 'UPDATE') then array(
           select att.attname::text from pg_catalog.pg_attribute att
            where att.attrelid = oid and att.attnum > 0 and not att.attisdropped
              and has_column_privilege(role, oid, att.attnum, command)
            order by att.attnum)
       else '{}' end as columns
  from judged
 order by role = 'public', role <> 'task_app', role, relation,
          array_position(array['SELECT', 'INSERT', 'UPDATE', 'DELETE'], command);
