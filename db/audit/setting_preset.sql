-- setting_preset · error
-- Somebody is already named before anybody has said who is asking.
--
-- app.user_id must be unset until the transaction sets it: that is why a forgotten identity finds
-- nothing. Preset on a role, on the database, in the server's configuration or on a function, it
-- makes everybody who forgets into that one person. The value is not shown.
-- Who: every code path that forgets to say who is asking.
-- Source: PostgreSQL manual, ALTER ROLE; ALTER DATABASE; Customized Options.

select 'setting_preset' as id,
       'error' as level,
       it.object,
       'presets app.user_id' as detail,
       'Every code path that forgets to set app.user_id acts as that person.' as exploit,
       it.mend
  from (select case when s.setrole = 0 and s.setdatabase = 0 then 'all roles'
                    when s.setrole = 0 then format('database %I', current_database())
                    when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                    else format('role %s in database %I', s.setrole::regrole, current_database())
                end,
               case when s.setrole = 0 and s.setdatabase = 0
                    then 'alter role all reset app.user_id;'
                    when s.setrole = 0
                    then format('alter database %I reset app.user_id;', current_database())
                    when s.setdatabase = 0
                    then format('alter role %s reset app.user_id;', s.setrole::regrole)
                    else format('alter role %s in database %I reset app.user_id;',
                                s.setrole::regrole, current_database())
                end
          from pg_catalog.pg_db_role_setting s
         cross join unnest(s.setconfig) as setting
         where setting ~* '^app\.user_id=.'
           and (s.setdatabase = 0
                or s.setdatabase = (select oid from pg_catalog.pg_database
                                     where datname = current_database()))
        union all
        select format('routine %s', f.oid::regprocedure),
               format('alter routine %s reset app.user_id;', f.oid::regprocedure)
          from pg_catalog.pg_proc f
         cross join unnest(f.proconfig) as setting
         where setting ~* '^app\.user_id=.'
        union all
        -- What this very session began with, when none of the above is the reason.
        select 'this session',
               '-- take app.user_id out of postgresql.conf, PGOPTIONS or the connection''s options'
         where current_setting('app.user_id', true) <> ''
           and not exists (select from pg_catalog.pg_db_role_setting s
                            cross join unnest(s.setconfig) as setting
                            where setting ~* '^app\.user_id=.')) it (object, mend);
