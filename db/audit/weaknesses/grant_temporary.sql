-- an export that needs a scratch table
-- turns red: grant_temporary drift
do $$ begin
    execute format('grant temporary on database %I to task_app', current_database());
end $$;
