-- pg_stats evaluates what its reader asks before it hides the values of others
-- turns red: builtin_changed
set local allow_system_table_mods = on;
alter view pg_catalog.pg_stats reset (security_barrier);
