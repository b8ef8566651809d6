-- role_masked · error
-- Somebody's sessions look as if the serving role had connected.
--
-- After `alter role ... set role` to the serving role, current_user says the serving role and
-- session_user the one who connected: with RESET ROLE it is itself again, with all its power. A
-- server at such a URL is one injected statement away from it. (What is preset for the serving
-- role itself is setting_unsafe.)
-- Who: whoever can run SQL in such a session.
-- Source: PostgreSQL manual, SET ROLE; ALTER ROLE.

select 'role_masked' as id,
       'error' as level,
       it.whose as object,
       format('presets %s', it.setting) as detail,
       'Whoever runs SQL in such a session: reset role gives back who connected.' as exploit,
       format('alter %s reset role;', it.whose) as mend
  from (select case when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                    else format('role %s in database %I', s.setrole::regrole, current_database())
               end, setting
          from pg_db_role_setting s
          join pg_roles whose on whose.oid = s.setrole
         cross join unnest(s.setconfig) as it (setting)
         where whose.rolname <> current_setting('audit.role')
           and (s.setdatabase = 0
                or s.setdatabase = (select oid from pg_database
                                     where datname = current_database()))) it (whose, setting)
 where it.setting = format('role=%s', current_setting('audit.role'));
