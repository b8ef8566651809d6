-- All that db/policies/ decides, and the triggers, a fact a row: what it is about, and how it stands.
-- Compared with manifest.txt, which holds the same of a freshly migrated database.
-- The owner's own privileges are left out: they come with owning. A policy of the owner's is said
-- to be to *the owner*, whose name is the deployment's.
-- Asked with PostgreSQL's own schema alone on the search_path: what is public's is named without its
-- schema as a subject, and in an expression with it, where nothing of public's belongs. Of another
-- schema is what task_app or PUBLIC was granted there: no policy file grants any of it.

with relations as (
    select c.oid, case when c.relnamespace = 'public'::regnamespace then '' else quote_ident(n.nspname) || '.' end
                  || quote_ident(c.relname) as name,
           c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.oid >= 16384
       and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
       and (c.relnamespace = 'public'::regnamespace
            or exists (
                select
                  from (select grantee from aclexplode(c.relacl)
                         union all
                        select (aclexplode(att.attacl)).grantee
                          from pg_catalog.pg_attribute att where att.attrelid = c.oid) a
                 where a.grantee in (0, to_regrole('task_app')::oid) and a.grantee <> c.relowner))
       and n.nspname !~ '^pg_(toast_)?temp_'
       and not exists (select from pg_catalog.pg_depend d
                        where d.classid = 'pg_catalog.pg_class'::regclass
                          and d.objid = c.oid and d.deptype = 'e')
), triggers as (
    select t.*, r.name as relation
      from pg_catalog.pg_trigger t join relations r on r.oid = t.tgrelid
     where not t.tgisinternal
), grants (privilege, place, grantee, grantable) as (
    select a.privilege_type, r.name, a.grantee, a.is_grantable
      from relations r cross join aclexplode(r.relacl) a
     where a.grantee <> r.relowner
    union all
    select format('%s (%s)', a.privilege_type, att.attname), r.name, a.grantee, a.is_grantable
      from relations r
      join pg_catalog.pg_attribute att on att.attrelid = r.oid
     cross join aclexplode(att.attacl) a
     where a.grantee <> r.relowner
    union all
    select a.privilege_type, format('function %I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), a.grantee, a.is_grantable
      from pg_catalog.pg_proc p
     cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace = 'public'::regnamespace
       and a.grantee <> p.proowner
       and not exists (select from pg_catalog.pg_depend d
                        where d.classid = 'pg_catalog.pg_proc'::regclass
                          and d.objid = p.oid and d.deptype = 'e')
    union all
    select a.privilege_type, 'schema public', a.grantee, a.is_grantable
      from pg_catalog.pg_namespace n
     cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
     where n.nspname = 'public' and (a.grantee = 0 or a.grantee = to_regrole('task_app'))
    union all
    select a.privilege_type, 'the database', a.grantee, a.is_grantable
      from pg_catalog.pg_database d
     cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     where d.datname = current_database()
       and (a.grantee = 0 or a.grantee = to_regrole('task_app'))
)
select 'role ' || rolname as subject,
       concat_ws(' ',
           case when rolcanlogin then 'login' else 'nologin' end,
           case when rolsuper then 'superuser' else 'nosuperuser' end,
           case when rolbypassrls then 'bypassrls' else 'nobypassrls' end,
           case when rolcreatedb then 'createdb' else 'nocreatedb' end,
           case when rolcreaterole then 'createrole' else 'nocreaterole' end,
           case when rolinherit then 'inherit' else 'noinherit' end,
           case when rolreplication then 'replication' else 'noreplication' end) as state
  from pg_catalog.pg_roles where rolname = 'task_app'
union all
select 'role task_app is a member of ' || m.roleid::regrole, 'yes'
  from pg_catalog.pg_auth_members m where m.member = to_regrole('task_app')
union all
select format('role task_app setting %s%s', split_part(setting, '=', 1),
              case when s.setdatabase <> 0 then ' in the database' end),
       split_part(setting, '=', 2)
  from pg_catalog.pg_db_role_setting s cross join unnest(s.setconfig) setting
  left join pg_catalog.pg_database d on d.oid = s.setdatabase
 where s.setrole = to_regrole('task_app')
   and (s.setdatabase = 0 or d.datname = current_database())
union all
select 'row security of ' || name,
       format('%s, %s', case when relrowsecurity then 'enabled' else 'not enabled' end,
              case when relforcerowsecurity then 'forced' else 'not forced' end)
  from relations where relkind in ('r', 'p')
union all
select format('policy %s on %s', p.polname, r.name),
       concat_ws(' ',
           case when p.polpermissive then 'permissive' else 'restrictive' end, 'for',
           case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                         when 'd' then 'delete' else 'all' end,
           'to', (select string_agg(it.name, ', ' order by it.name) from unnest(p.polroles) o
                   cross join lateral (
                         values (case o when 0 then 'public' when r.relowner then 'the owner'
                                        else o::regrole::text end)) it (name)),
           'using ' || regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g'),
           'with check '
           || regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '\s+', ' ', 'g'))
  from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid
union all
select format('trigger %I on %s', tgname, relation),
       concat_ws(' ', case tgenabled when 'O' then 'enabled' when 'D' then 'disabled'
                                     when 'R' then 'for replicas' else 'always enabled' end,
                 pg_get_triggerdef(oid))
  from triggers
union all
select format('trigger function %s%I()', nullif(p.pronamespace::regnamespace || '.', 'public.'),
              p.proname),
       concat_ws(' ', l.lanname,
           case when p.prosecdef then 'security definer' else 'security invoker' end,
           array_to_string(p.proconfig, ' '),
           'sha256', encode(sha256(convert_to(concat(p.prosrc, p.probin), 'UTF8')), 'hex'))
  from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
 where p.oid in (select tgfoid from triggers)
    or p.prorettype = 'trigger'::regtype and p.pronamespace = 'public'::regnamespace
       and not exists (select from pg_catalog.pg_depend d
                        where d.classid = 'pg_catalog.pg_proc'::regclass
                          and d.objid = p.oid and d.deptype = 'e')
union all
select format('%s on %s to %s', lower(regexp_replace(privilege, ' \(.*', ''))
                  || coalesce(substring(privilege from ' \(.*'), ''), place,
              case grantee when 0 then 'public' else grantee::regrole::text end),
       case when bool_or(grantable) then 'granted, with grant option' else 'granted' end
  from grants group by privilege, place, grantee
 order by subject;
