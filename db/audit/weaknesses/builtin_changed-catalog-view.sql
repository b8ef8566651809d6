-- everybody sees the statistics of what they may not see
-- turns red: builtin_changed
set local allow_system_table_mods = on;
create or replace view pg_catalog.pg_tables as
    select 'public'::name as schemaname, 'task'::name as tablename, null::name as tableowner,
           null::name as tablespace, true as hasindexes, true as hasrules, true as hastriggers,
           true as rowsecurity;
