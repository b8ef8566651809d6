-- the provider's form makes the database for the role that one names first
-- turns red: role_owns_database_or_schema drift
do $$ begin execute format('alter database %I owner to task_app', current_database()); end $$;
