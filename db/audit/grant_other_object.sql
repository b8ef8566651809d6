-- grant_other_object · error
-- The serving role was granted something that serving does not need.
--
-- A large object holds data and knows no policies; a foreign server with a mapping lends its
-- password; a foreign data wrapper makes servers; a tablespace, a type, a language, another
-- database: none of them is needed to serve. Counted is every privilege of PUBLIC, of the serving
-- role or of a role it is a member of, beyond those that every new object has by itself, and user
-- mappings for any of them. Not counted is what leads to guarded rows: USAGE on the schema of a
-- guarded table that the role may use, CONNECT, and the functions of policies and their schemas.
-- Relations, parameters and SECURITY DEFINER functions have checks of their own.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Privileges; GRANT; CREATE USER MAPPING.

with grantees (role, name) as (
    select 0::oid, 'public'
     union all
    select r.oid, quote_ident(r.rolname)
      from pg_catalog.pg_roles app
      join pg_catalog.pg_roles r
           on r.oid = app.oid
           or not app.rolsuper and not r.rolsuper and pg_has_role(app.oid, r.oid, 'member')
     where app.rolname = current_setting('audit.role')
), helpers (oid, schema) as (
    select f.oid, f.pronamespace
      from pg_catalog.pg_depend d
      join pg_catalog.pg_proc f on f.oid = d.refobjid
     where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_proc'::regclass
), things (class, object, kind, owner, acl) as (
    select 'pg_proc'::regclass::oid, oid, 'f', proowner, proacl from pg_catalog.pg_proc
     where not prosecdef and oid not in (select oid from helpers)
     union all
    select 'pg_type'::regclass, oid, 'T', typowner, typacl from pg_catalog.pg_type
     union all
    select 'pg_language'::regclass, oid, 'l', lanowner, lanacl from pg_catalog.pg_language
     union all
    select 'pg_namespace'::regclass, oid, 'n', nspowner, nspacl from pg_catalog.pg_namespace n
     where nspname !~ '^pg_(toast_)?temp_'
       and oid not in (select schema from helpers)
       and not exists (
           select from pg_catalog.pg_class c
            where c.relnamespace = n.oid and c.relrowsecurity
              and (c.relacl::text <> '' or exists (
                  select from pg_catalog.pg_attribute a
                   where a.attrelid = c.oid and a.attacl is not null)))
     union all
    select 'pg_database'::regclass, oid, 'd', datdba, datacl from pg_catalog.pg_database
     union all
    select 'pg_tablespace'::regclass, oid, 't', spcowner, spcacl from pg_catalog.pg_tablespace
     union all
    select 'pg_foreign_data_wrapper'::regclass, oid, 'F', fdwowner, fdwacl
      from pg_catalog.pg_foreign_data_wrapper
     union all
    select 'pg_foreign_server'::regclass, oid, 'S', srvowner, srvacl
      from pg_catalog.pg_foreign_server
     union all
    select 'pg_largeobject'::regclass, oid, 'L', lomowner, lomacl
      from pg_catalog.pg_largeobject_metadata
), ours (type, identity, grantee, privilege) as (
    select named.type, named.identity, grantees.name, it.privilege
      from things
     cross join lateral (
           select grantee, privilege_type from aclexplode(things.acl)
           except
           select grantee, privilege_type
             from aclexplode(acldefault(things.kind::"char", things.owner))
           ) it (role, privilege)
      join grantees on grantees.role = it.role
     cross join lateral pg_identify_object(things.class, things.object, 0) named
     where things.acl is not null
       and it.role <> things.owner
       and (things.object >= 16384 or things.kind in ('d', 'L'))
       and not (things.kind = 'n' and it.privilege = 'CREATE')
       and not (things.kind = 'd'
                and (it.privilege = 'CONNECT' or named.identity = quote_ident(current_database())))
       and not exists (select from pg_catalog.pg_depend e
                        where e.classid = things.class and e.objid = things.object
                          and e.deptype = 'e')
     union all
    select 'user mapping', format('for %s server %I', grantees.name, m.srvname),
           grantees.name, 'a user mapping'
      from pg_catalog.pg_user_mappings m
      join grantees on grantees.role = m.umuser
)
select 'grant_other_object' as id,
       'error' as level,
       format('%s %s', ours.type, ours.identity) as object,
       format('%s has %s', ours.grantee,
              string_agg(distinct ours.privilege, ', ' order by ours.privilege)) as detail,
       'Whoever runs SQL as the serving role: uses it, and no policy is asked.' as exploit,
       case when ours.type = 'user mapping'
            then format('drop user mapping %s;', ours.identity)
            else format('revoke all on %s %s from %s;',
                        case when ours.type in ('aggregate', 'procedure') then 'routine'
                             when ours.type = 'server' then 'foreign server'
                             when ours.type = 'foreign-data wrapper'
                             then 'foreign data wrapper'
                             else ours.type end,
                        ours.identity, ours.grantee) end as mend
  from ours
 group by ours.type, ours.identity, ours.grantee;
