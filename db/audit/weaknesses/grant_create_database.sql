-- grant all privileges on database, as every tutorial has it (here without temporary)
-- turns red: grant_create_database drift
do $$ begin
    execute format('grant create on database %I to task_app', current_database());
end $$;
