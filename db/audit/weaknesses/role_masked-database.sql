-- Everybody's sessions in this database look as if task_app had connected.
-- turns red: role_masked
do $$
begin
    execute format('alter database %I set role = task_app', current_database());
end
$$;
