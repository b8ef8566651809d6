-- the same for the database
-- turns red: row_security_off
do $$ begin
    execute format('alter database %I set row_security = off', current_database());
end $$;
