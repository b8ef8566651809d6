-- role_owns_database_or_schema · error
-- The serving role owns the database or a schema.
--
-- The owner of a schema drops any table in it and puts another in its place; the owner of a
-- database is a member of pg_database_owner, to whom schema public belongs, and presets settings
-- for all.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Schemas; Predefined Roles.

select 'role_owns_database_or_schema' as id,
       'error' as level,
       format('%s %I', it.kind, it.name) as object,
       'belongs to the serving role' as detail,
       format('Whoever runs SQL as the serving role: drop what is in the %s and put another in its place.',
              it.kind) as exploit,
       case when it.kind = 'schema'
            then format('alter schema %I owner to %I;', it.name, owner.rolname)
            else format('-- alter database %I owner to the role that migrates;', it.name)
        end as mend
  from (select 'database' as kind, datname as name, datdba as owner
          from pg_catalog.pg_database where datname = current_database()
        union all
        select 'schema', nspname, nspowner from pg_catalog.pg_namespace) it
  join pg_catalog.pg_roles app on app.oid = it.owner and app.rolname = current_setting('audit.role')
  join pg_catalog.pg_database d on d.datname = current_database()
  join pg_catalog.pg_roles owner on owner.oid = d.datdba;
