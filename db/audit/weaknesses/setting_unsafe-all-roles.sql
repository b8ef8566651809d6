-- PostgreSQL's own tables may be changed
-- turns red: setting_unsafe
alter role all set allow_system_table_mods = on;
