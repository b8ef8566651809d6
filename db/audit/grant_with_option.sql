-- grant_with_option · error
-- The serving role may pass its privileges on.
--
-- With a grant option the serving role decides who else reaches the rows, and `task-api migrate`
-- cannot say any more who does.
-- Who: whoever can run SQL as the serving role: grant select on task to public.
-- Source: PostgreSQL manual, GRANT (WITH GRANT OPTION).

select 'grant_with_option' as id,
       'error' as level,
       format('%s %s', it.kind, it.name) as object,
       format('%s holds %s with grant option', it.grantee::regrole,
              string_agg(distinct it.privilege, ', ')) as detail,
       'Whoever runs SQL as the serving role: grants it to public.' as exploit,
       format('revoke grant option for all%s on %s %s from %s cascade;',
              it.columns, it.kind, it.name, it.grantee::regrole) as mend
  from pg_catalog.pg_roles app
 cross join lateral (
       select case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass::text,
              '', a.grantee, a.privilege_type
         from pg_catalog.pg_class c
        cross join lateral aclexplode(c.relacl) a
        where a.is_grantable and a.grantee <> c.relowner
       union all
       select 'table', c.oid::regclass::text, format(' (%I)', att.attname), a.grantee,
              a.privilege_type
         from pg_catalog.pg_attribute att
         join pg_catalog.pg_class c on c.oid = att.attrelid
        cross join lateral aclexplode(att.attacl) a
        where att.attacl is not null and a.is_grantable and a.grantee <> c.relowner
       union all
       select 'schema', quote_ident(n.nspname), '', a.grantee, a.privilege_type
         from pg_catalog.pg_namespace n
        cross join lateral aclexplode(n.nspacl) a
        where a.is_grantable and a.grantee <> n.nspowner
       union all
       select 'database', quote_ident(d.datname), '', a.grantee, a.privilege_type
         from pg_catalog.pg_database d
        cross join lateral aclexplode(d.datacl) a
        where d.datname = current_database() and a.is_grantable and a.grantee <> d.datdba
       union all
       select 'routine', f.oid::regprocedure::text, '', a.grantee, a.privilege_type
         from pg_catalog.pg_proc f
        cross join lateral aclexplode(f.proacl) a
        where f.proacl is not null and a.is_grantable and a.grantee <> f.proowner
       ) it (kind, name, columns, grantee, privilege)
 where app.rolname = current_setting('audit.role')
   and (it.grantee = app.oid or not app.rolsuper and pg_has_role(app.oid, it.grantee, 'member'))
 group by it.kind, it.name, it.columns, it.grantee;
