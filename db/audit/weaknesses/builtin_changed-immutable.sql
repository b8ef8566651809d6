-- who is asking may be kept in a plan
-- turns red: builtin_changed
alter function pg_catalog.current_setting(text, boolean) immutable;
