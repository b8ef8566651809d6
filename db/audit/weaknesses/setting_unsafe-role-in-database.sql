-- triggers are off for the serving role, here
-- turns red: setting_unsafe drift
do $$ begin
    execute format('alter role task_app in database %I set session_replication_role = replica',
                   current_database());
end $$;
