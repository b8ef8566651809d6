-- role_masked · error
-- A session is given another role than the one that signed in.
--
-- After `alter role ... set role` (or `session_authorization`) current_user says the serving role,
-- and session_user the one that connected: with RESET ROLE it is itself again, with all its power.
-- So the server must sign in as the serving role, and the serving role must stay itself.
-- Who: whoever can run SQL in such a session.
-- Source: PostgreSQL manual, SET ROLE; ALTER ROLE.

select 'role_masked' as id,
       'error' as level,
       it.whose as object,
       format('presets %s', it.setting) as detail,
       'Whoever runs SQL in such a session: reset role gives back who connected.' as exploit,
       format('alter %s reset %s;', it.whose, it.name) as mend
  from (select case when s.setrole = 0 and s.setdatabase = 0 then 'role all'
                    when s.setrole = 0 then format('database %I', d.datname)
                    when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                    else format('role %s in database %I', s.setrole::regrole, d.datname) end,
               setting, split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1),
               s.setrole, s.setdatabase
          from pg_db_role_setting s
         cross join unnest(s.setconfig) as it (setting)
          left join pg_database d on d.oid = s.setdatabase)
       it (whose, setting, name, value, setrole, setdatabase)
 where it.name in ('role', 'session_authorization')
   and (it.setdatabase = 0
        or it.setdatabase = (select oid from pg_database where datname = current_database()))
   and (it.setrole = 0 or it.setrole::regrole = to_regrole(quote_ident(current_setting('audit.role')))
        or trim(both '"' from it.value) = current_setting('audit.role'));
