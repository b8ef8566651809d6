-- row_security_off · warn
-- row_security is preset to off.
--
-- Off does not switch policies off: it makes a query that a policy would filter fail. So the
-- server answers nobody, somebody finds "row-level security" in the message, and gives the
-- serving role BYPASSRLS. For a role that bypasses row security it says nothing at all.
-- Source: PostgreSQL manual, Client Connection Defaults (row_security).

select 'row_security_off' as id,
       'warn' as level,
       it.object,
       'presets row_security = off' as detail,
       'Nobody; every query that a policy filters fails.' as exploit,
       it.mend
  from (select case when s.setrole = 0 and s.setdatabase = 0 then 'all roles'
                    when s.setrole = 0 then format('database %I', current_database())
                    when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                    else format('role %s in database %I', s.setrole::regrole, current_database())
                end,
               case when s.setrole = 0 and s.setdatabase = 0
                    then 'alter role all reset row_security;'
                    when s.setrole = 0
                    then format('alter database %I reset row_security;', current_database())
                    when s.setdatabase = 0
                    then format('alter role %s reset row_security;', s.setrole::regrole)
                    else format('alter role %s in database %I reset row_security;',
                                s.setrole::regrole, current_database())
                end
          from pg_catalog.pg_db_role_setting s
         cross join unnest(s.setconfig) as setting
         where setting ~* '^row_security=(of|f|n|0)'
           and (s.setrole = 0
                or s.setrole = (select oid from pg_catalog.pg_roles
                               where rolname = current_setting('audit.role')))
           and (s.setdatabase = 0
                or s.setdatabase = (select oid from pg_catalog.pg_database
                                     where datname = current_database()))
        union all
        select 'this server', '-- take row_security out of postgresql.conf'
         where exists (select from pg_catalog.pg_settings
                        where name = 'row_security' and reset_val = 'off'
                          and source not in ('database', 'user', 'database user', 'global'))
        ) it (object, mend);
