-- a schema's operators stand in front of PostgreSQL's own
-- turns red: setting_unsafe
do $$ begin
    execute format('alter database %I set search_path = public, pg_catalog', current_database());
end $$;
