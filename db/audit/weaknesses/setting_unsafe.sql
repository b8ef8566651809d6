-- triggers are off, for a load that is over
-- turns red: setting_unsafe
do $$ begin
    execute format('alter database %I set session_replication_role = replica', current_database());
end $$;
