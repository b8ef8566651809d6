-- the same for the role, in this database only
-- turns red: setting_preset drift
do $$ begin
    execute format('alter role task_app in database %I set app.user_id = %L',
                   current_database(), 'alice');
end $$;
