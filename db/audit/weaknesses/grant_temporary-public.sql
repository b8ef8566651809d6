-- what PostgreSQL gives to everybody on a new database
-- turns red: grant_temporary drift
do $$ begin
    execute format('grant temporary on database %I to public', current_database());
end $$;
