-- grant_catalog · error
-- The serving role was given something of PostgreSQL's own, or of an extension's.
--
-- pg_statistic holds the commonest values of every column, hidden rows included; pg_authid holds
-- the passwords; pg_read_file, lo_import and their kin read the server's disk; a table's TOAST
-- table holds its long values. What initdb or the extension's script granted is not counted. Every
-- privilege beyond, of PUBLIC, of the serving role or of a role it is a member of, is: on
-- relations, columns, functions, types, languages, schemas, tablespaces, foreign data wrappers and
-- servers. PostgreSQL's own are known by their oids, which are below 16384.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, pg_init_privs; pg_statistic; Server-File Access Functions; transam.h
-- (FirstNormalObjectId).

with grantees (role, name) as (
    select 0::oid, 'public'
     union all
    select r.oid, quote_ident(r.rolname)
      from pg_catalog.pg_roles app
      join pg_catalog.pg_roles r
           on r.oid = app.oid
           or not app.rolsuper and not r.rolsuper and pg_has_role(app.oid, r.oid, 'member')
     where app.rolname = current_setting('audit.role')
), things (class, object, part, kind, owner, acl) as (
    select 'pg_class'::regclass::oid, c.oid, 0, case c.relkind when 'S' then 's' else 'r' end,
           c.relowner, c.relacl
      from pg_catalog.pg_class c
     union all
    select 'pg_class'::regclass, a.attrelid, a.attnum, 'c', c.relowner, a.attacl
      from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
     where a.attacl is not null
     union all
    select 'pg_proc'::regclass, oid, 0, 'f', proowner, proacl from pg_catalog.pg_proc
     union all
    select 'pg_type'::regclass, oid, 0, 'T', typowner, typacl from pg_catalog.pg_type
     union all
    select 'pg_language'::regclass, oid, 0, 'l', lanowner, lanacl from pg_catalog.pg_language
     union all
    select 'pg_namespace'::regclass, oid, 0, 'n', nspowner, nspacl from pg_catalog.pg_namespace
     where nspname <> 'public'
     union all
    select 'pg_tablespace'::regclass, oid, 0, 't', spcowner, spcacl from pg_catalog.pg_tablespace
     union all
    select 'pg_foreign_data_wrapper'::regclass, oid, 0, 'F', fdwowner, fdwacl
      from pg_catalog.pg_foreign_data_wrapper
     union all
    select 'pg_foreign_server'::regclass, oid, 0, 'S', srvowner, srvacl
      from pg_catalog.pg_foreign_server
), ours as (
    select things.class, things.object, things.part, things.owner, grantees.name as grantee,
           it.privilege
      from things
      left join pg_catalog.pg_depend member
           on member.classid = things.class and member.objid = things.object
          and member.refclassid = 'pg_extension'::regclass and member.deptype = 'e'
      -- What was put into an extension of initdb's afterwards was granted by somebody else.
      left join pg_catalog.pg_init_privs initial
           on initial.classoid = things.class and initial.objoid = things.object
          and initial.objsubid = things.part
          and (things.object < 16384 or member.refobjid >= 16384)
     cross join lateral (
           select grantee, privilege_type
             from aclexplode(coalesce(things.acl, acldefault(things.kind::"char", things.owner)))
           except
           select grantee, privilege_type
             from aclexplode(coalesce(initial.initprivs,
                                      acldefault(things.kind::"char", things.owner)))
           except
           -- initdb makes information_schema after it has written pg_init_privs
           select 0, case things.class when 'pg_class'::regclass then 'SELECT' else 'USAGE' end
            where things.object < 16384
              and (things.class, things.object) in (
                  select 'pg_namespace'::regclass::oid, 'information_schema'::regnamespace::oid
                   union all
                  select 'pg_class'::regclass, oid from pg_catalog.pg_class
                   where relnamespace = 'information_schema'::regnamespace
                     and relname !~ '^(_pg_|sql_parts$|transforms$)')
           ) it (role, privilege)
      join grantees on grantees.role = it.role
     where (things.object < 16384 or member.refobjid is not null
            or things.class = 'pg_class'::regclass
               and (select relkind from pg_catalog.pg_class where oid = things.object) = 't')
       and it.role <> things.owner
       and not (things.class = 'pg_namespace'::regclass and it.privilege = 'CREATE')
)
select 'grant_catalog' as id,
       'error' as level,
       format('%s %s', named.type, named.identity) as object,
       format('%s has %s', ours.grantee,
              string_agg(distinct ours.privilege, ', ' order by ours.privilege)) as detail,
       'Whoever runs SQL as the serving role: reads there what no policy hides.' as exploit,
       format('revoke all on %s %s from %s;',
              case when ours.class = 'pg_class'::regclass and named.type <> 'sequence' then 'table'
                   when named.type = 'aggregate' then 'function'
                   when named.type = 'server' then 'foreign server'
                   when named.type = 'foreign-data wrapper' then 'foreign data wrapper'
                   else named.type end,
              case when ours.class = 'pg_class'::regclass then ours.object::regclass::text
                   else named.identity end,
              ours.grantee) as mend
  from ours
 cross join lateral pg_identify_object(ours.class, ours.object, ours.part) named
 group by named.type, named.identity, ours.class, ours.object, ours.grantee;
