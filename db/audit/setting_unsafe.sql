-- setting_unsafe · error
-- A setting is preset that can weaken the walls.
--
-- session_replication_role = replica switches triggers and foreign keys off; role makes everybody
-- somebody else; a search_path with a schema before pg_catalog lets that schema's operators stand
-- in front of PostgreSQL's own; allow_system_table_mods and a library that is loaded do anything.
-- What is known to be harmless is allowed: settings of planning, resources, logging, locale and
-- format, limits, and a search_path in which pg_catalog is first or not named, or that is not in
-- force because the role has its own. The rest counts, when it is preset for the serving role,
-- for all roles or for the database, with the value that it has there; of the server's own
-- configuration, what a session could set. A preset identity is reported by setting_preset,
-- row_security by row_security_off. The value is not shown.
-- Who: everybody served.
-- Source: PostgreSQL manual, ALTER ROLE; ALTER DATABASE; Server Configuration. CVE-2018-1058.

with preset (place, sql, name, value) as (
    select case when s.setrole = 0 and s.setdatabase = 0 then 'all roles'
                when s.setrole = 0 then format('database %I', current_database())
                when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                else format('role %s in database %I', s.setrole::regrole, current_database()) end,
           format('alter %s', case when s.setrole = 0 and s.setdatabase = 0 then 'role all'
                when s.setrole = 0 then format('database %I', current_database())
                when s.setdatabase = 0 then format('role %s', s.setrole::regrole)
                else format('role %s in database %I', s.setrole::regrole,
                            current_database()) end),
           lower(split_part(setting, '=', 1)), substring(setting from '=(.*)$')
      from pg_catalog.pg_db_role_setting s
     cross join unnest(s.setconfig) as setting
      left join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
     where s.setrole in (0, app.oid)
       and s.setdatabase in (0, (select oid from pg_catalog.pg_database
                                  where datname = current_database()))
       -- the role's own search_path wins over any other
       and not (s.setrole = 0 and starts_with(lower(setting), 'search_path=')
                and exists (select from pg_catalog.pg_db_role_setting own
                             cross join unnest(own.setconfig) as preset
                             where own.setrole = app.oid
                               and own.setdatabase in (0, s.setdatabase)
                               and starts_with(lower(preset), 'search_path=')))
     union all
    select 'this server', null, name, reset_val
      from pg_catalog.pg_settings
     where context in ('user', 'superuser')
       and source in ('configuration file', 'command line', 'environment variable', 'global',
                      'session')
       and reset_val is distinct from boot_val
       and name not in ('search_path', 'application_name')
)
select 'setting_unsafe' as id,
       'error' as level,
       preset.place as object,
       format('presets %s', preset.name) as detail,
       'Everybody served: their sessions begin with it.' as exploit,
       coalesce(format('%s reset %s;', preset.sql, preset.name),
                format('-- take %s out of postgresql.conf', preset.name)) as mend
  from preset
  left join pg_catalog.pg_settings known on known.name = preset.name
 where preset.name not in (lower(current_setting('audit.setting')), 'row_security',
                           'statement_timeout', 'lock_timeout',
                           'idle_in_transaction_session_timeout', 'idle_session_timeout',
                           'transaction_timeout', 'client_connection_check_interval',
                           'default_transaction_isolation', 'default_transaction_read_only',
                           'default_transaction_deferrable', 'application_name',
                           'bytea_output', 'xmlbinary', 'xmloption', 'client_min_messages',
                           'check_function_bodies', 'createrole_self_grant',
                           'quote_all_identifiers', 'standard_conforming_strings',
                           'backslash_quote', 'escape_string_warning', 'array_nulls')
   and coalesce(known.category, '') !~ ('^(Autovacuum|Query Tuning|Resource Usage|Statistics|'
                                        'Reporting and Logging|Write-Ahead Log|Lock Management|'
                                        'Vacuuming|'
                                        'Client Connection Defaults / Locale and Formatting|'
                                        'Connections and Authentication / TCP Settings)')
   and not (preset.name = 'session_replication_role' and preset.value = 'origin')
   and not (preset.name = 'search_path'
            and (preset.value !~ '\mpg_catalog\M' or preset.value ~ '^ *"?pg_catalog\M'))
   and not (preset.sql is null and exists (
       select from pg_catalog.pg_db_role_setting s cross join unnest(s.setconfig) as setting
        where lower(split_part(setting, '=', 1)) = preset.name));
