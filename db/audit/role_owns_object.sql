-- role_owns_object · error
-- The serving role owns something.
--
-- Whoever owns a domain that a column uses changes what the column takes; whoever owns an operator
-- family, a collation or a type is asked in every comparison; a foreign server, a large object and
-- default privileges are power that serving does not need. Counted is everything in this database,
-- and that there is something in another. Relations, functions, schemas and the database itself
-- have checks of their own.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, pg_shdepend (deptype o); Privileges (owner).

select 'role_owns_object' as id,
       'error' as level,
       it.object,
       'belongs to the serving role' as detail,
       'Whoever runs SQL as the serving role: alters or drops it, and others meet the result.'
         as exploit,
       it.mend
  from (select format('%s %s', named.type, named.identity),
               case when named.type = 'default acl'
                    then format('-- alter default privileges for role %I: revoke each',
                                app.rolname)
                    else format('alter %s %s owner to %s;', named.type, named.identity,
                                d.datdba::regrole) end
          from pg_catalog.pg_shdepend s
          join pg_catalog.pg_roles app
               on app.oid = s.refobjid and app.rolname = current_setting('audit.role')
          join pg_catalog.pg_database d on d.datname = current_database()
         cross join lateral pg_identify_object(s.classid, s.objid, s.objsubid) named
         where s.refclassid = 'pg_authid'::regclass and s.deptype = 'o'
           and s.dbid in (0, d.oid)
           and s.classid not in ('pg_class'::regclass, 'pg_proc'::regclass,
                                 'pg_namespace'::regclass, 'pg_user_mapping'::regclass)
           and not (s.classid = 'pg_database'::regclass and s.objid = d.oid)
        union all
        select format('database %I', there.datname),
               format('-- in the database %I: reassign owned by %I to its owner',
                      there.datname, app.rolname)
          from pg_catalog.pg_shdepend s
          join pg_catalog.pg_roles app
               on app.oid = s.refobjid and app.rolname = current_setting('audit.role')
          join pg_catalog.pg_database there
               on there.oid = s.dbid and there.datname <> current_database()
         where s.refclassid = 'pg_authid'::regclass and s.deptype = 'o'
         group by there.datname, app.rolname) it (object, mend);
