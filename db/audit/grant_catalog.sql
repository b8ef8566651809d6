-- grant_catalog · error
-- The serving role was given something of PostgreSQL's own.
--
-- pg_statistic holds the commonest values of every column, hidden rows included; pg_authid holds
-- the passwords; pg_read_file and its kin read the server's disk. What PUBLIC has by itself is not
-- counted; a grant to the serving role, or to a role it is a member of, is.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, pg_statistic; Server-File Access Functions.

select 'grant_catalog' as id,
       'error' as level,
       format('%s %s', it.kind, it.name) as object,
       format('%I has %s', grantee.rolname, string_agg(distinct it.privilege, ', ')) as detail,
       'Whoever runs SQL as the serving role: reads there what no policy hides.' as exploit,
       format('revoke all on %s %s from %I;', it.kind, it.name, grantee.rolname) as mend
  from pg_catalog.pg_roles app
  join pg_catalog.pg_roles grantee
       on grantee.oid = app.oid
       or not app.rolsuper and not grantee.rolsuper and grantee.rolname !~ '^pg_'
          and pg_has_role(app.oid, grantee.oid, 'member')
  join lateral (
       select 'table', c.oid::regclass::text, a.privilege_type
         from pg_catalog.pg_class c
        cross join lateral aclexplode(c.relacl) a
        where c.relacl is not null and a.grantee = grantee.oid
          and c.relnamespace::regnamespace::text in ('pg_catalog', 'information_schema')
       union
       select 'table', c.oid::regclass::text, a.privilege_type
         from pg_catalog.pg_attribute att
         join pg_catalog.pg_class c on c.oid = att.attrelid
        cross join lateral aclexplode(att.attacl) a
        where att.attacl is not null and a.grantee = grantee.oid
          and c.relnamespace::regnamespace::text in ('pg_catalog', 'information_schema')
       union
       select 'routine', f.oid::regprocedure::text, a.privilege_type
         from pg_catalog.pg_proc f
        cross join lateral aclexplode(f.proacl) a
        where f.proacl is not null and a.grantee = grantee.oid
          and f.pronamespace::regnamespace::text in ('pg_catalog', 'information_schema')
       ) it (kind, name, privilege) on true
 where app.rolname = current_setting('audit.role')
 group by it.kind, it.name, grantee.rolname;
