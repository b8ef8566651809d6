-- Who reaches what: role x relation x command, for the serving role, PUBLIC, every owner and every
-- grantee, with the columns that may be written. In all schemas, but for what PostgreSQL and its
-- extensions brought along.
--
-- OWN ROWS is said only where every permissive policy is exactly
-- owner column = (select current_setting(setting, true)), the other way round, cast, or with a
-- helper function that does nothing but read settings; what is not shown to be a person's own
-- counts as ALL ROWS.

with relations as (
    select c.oid, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
           case when n.nspname = 'public' then '' else quote_ident(n.nspname) || '.' end
           || quote_ident(c.relname) as name
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_t(oast|emp)'
       and not exists (select from pg_catalog.pg_depend e
                        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid
                          and e.deptype = 'e')
), roles (name, role) as (
    select r.rolname::text, r.oid from pg_catalog.pg_roles r
     where r.rolname = current_setting('audit.role')
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
     -- What the two are called, as a pattern has to write it.
     cross join (
           select regexp_replace(quote_ident(current_setting('audit.owner_column')),
                                 '\W', '\\\&', 'g'),
                  regexp_replace(quote_literal(current_setting('audit.setting')),
                                 '\W', '\\\&', 'g')) named (owner, setting)
     cross join lateral (
           select concat_ws('|', format($$current_setting\(%s::text, true\)$$, named.setting),
                            string_agg(format($$(\w+\.)?%s\(\)$$, f.proname), '|'))
             from pg_catalog.pg_depend d
             join pg_catalog.pg_proc f on f.oid = d.refobjid
             join pg_catalog.pg_language l on l.oid = f.prolang and l.lanname = 'sql'
            where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
              and d.refclassid = 'pg_catalog.pg_proc'::regclass
              and f.pronargs = 0 and f.provolatile = 's' and f.prosqlbody is null
              and f.prosrc ~ named.setting
              -- nothing but settings, their JSON members, casts, and '' for none
              and f.prosrc
                  ~* ('^\s*select\s+((coalesce|nullif)\s*\(|current_setting\s*\('
                      '''[\w.-]+''\s*,\s*true\s*\)|->>?\s*''\w+''|'
                      '::\s*(text|uuid|int|integer|bigint|json|jsonb)\M|''''|[(),\s])+;?\s*$')
           ) caller (name)
     cross join lateral (
           select format($$(%s|\(%1$s\)::%s)$$, named.owner, type.name),
                  format($$(\( SELECT )?\(?(NULLIF\()?(%s)(, ''::text\))?(\)::%s)?$$
                         || $$( AS "?\w+"?\))?(\)?::%2$s)?$$,
                         caller.name, type.name)
             from (values ('(text|uuid|integer|bigint)')) type (name)
           ) is_in (owner, caller)
     cross join lateral (
           select format('^\((%s = \(?%s\)?|\(?%2$s\)? = %1$s)\)$', is_in.owner, is_in.caller)
           ) own (form)
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
 order by role = 'public', role <> current_setting('audit.role'), role, relation,
          array_position(array['SELECT', 'INSERT', 'UPDATE', 'DELETE'], command);
