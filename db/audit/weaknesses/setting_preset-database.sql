-- the same for the database
-- turns red: setting_preset
do $$ begin
    execute format('alter database %I set app.user_id = %L', current_database(), 'alice');
end $$;
