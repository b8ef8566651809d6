-- setting_preset · error
-- Somebody is already named before anybody has said who is asking.
--
-- The setting that says who is asking must be unset until the transaction sets it: that is why a
-- forgotten identity finds nothing. Preset on a role, on the database, in the server's
-- configuration or on a function, it makes everybody who forgets into that one person. The value
-- is not shown.
-- Who: every code path that forgets to say who is asking.
-- Source: PostgreSQL manual, ALTER ROLE; ALTER DATABASE; Customized Options.

select 'setting_preset' as id,
       'error' as level,
       it.object,
       format('presets %s', current_setting('audit.setting')) as detail,
       'Every code path that forgets to set the identity acts as that person.' as exploit,
       it.mend
  from (select case when s.setrole = 0 and s.setdatabase = 0 then 'all roles'
                    when s.setrole = 0 then format('database %I', current_database())
                    when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                    else format('role %s in database %I', s.setrole::regrole, current_database())
                end,
               format('alter %s reset %s;',
                      case when s.setrole = 0 and s.setdatabase = 0 then 'role all'
                           when s.setrole = 0 then format('database %I', current_database())
                           when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                           else format('role %s in database %I', s.setrole::regrole,
                                       current_database()) end,
                      current_setting('audit.setting'))
          from pg_catalog.pg_db_role_setting s
         cross join unnest(s.setconfig) as setting
         where lower(split_part(setting, '=', 1)) = lower(current_setting('audit.setting'))
           and split_part(setting, '=', 2) <> ''
           and (s.setdatabase = 0
                or s.setdatabase = (select oid from pg_catalog.pg_database
                                     where datname = current_database()))
        union all
        select format('routine %s', f.oid::regprocedure),
               format('alter routine %s reset %s;', f.oid::regprocedure,
                      current_setting('audit.setting'))
          from pg_catalog.pg_proc f
         cross join unnest(f.proconfig) as setting
         where lower(split_part(setting, '=', 1)) = lower(current_setting('audit.setting'))
           and split_part(setting, '=', 2) <> ''
        union all
        -- What this very session began with, when none of the above is the reason.
        select 'this session',
               format('-- take %s out of postgresql.conf, PGOPTIONS or the connection''s options',
                      current_setting('audit.setting'))
         where current_setting(current_setting('audit.setting'), true) <> ''
           and not exists (select from pg_catalog.pg_db_role_setting s
                            cross join unnest(s.setconfig) as setting
                            where lower(split_part(setting, '=', 1))
                                  = lower(current_setting('audit.setting'))
                              and split_part(setting, '=', 2) <> '')) it (object, mend);
