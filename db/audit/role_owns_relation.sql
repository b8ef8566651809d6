-- role_owns_relation · error
-- The serving role owns a table, a view or a sequence.
--
-- An owner switches row security off, drops policies and grants itself everything. FORCE binds its
-- queries, not its ALTER TABLE.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Row Security Policies.

select 'role_owns_relation' as id,
       'error' as level,
       c.oid::regclass::text as object,
       'belongs to the serving role' as detail,
       format('Whoever runs SQL as the serving role: alter table %s disable row level security.',
              c.oid::regclass) as exploit,
       format('alter %s %s owner to %I;',
              case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
                             when 'f' then 'foreign table' when 'S' then 'sequence'
                             else 'table' end,
              c.oid::regclass, owner.rolname) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.oid = c.relowner
                             and app.rolname = current_setting('audit.role')
  join pg_catalog.pg_database d on d.datname = current_database()
  join pg_catalog.pg_roles owner on owner.oid = d.datdba
 where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
   and c.relpersistence <> 't'
   -- A column's own sequence goes where its table goes.
   and not exists (select from pg_catalog.pg_depend s
                    where s.classid = 'pg_catalog.pg_class'::regclass and s.objid = c.oid
                      and c.relkind = 'S' and s.deptype in ('a', 'i'));
