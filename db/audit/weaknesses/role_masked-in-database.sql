-- A member's sessions in this database look as if task_app had connected.
-- turns red: role_masked
create role "Passer-By" login;
grant task_app to "Passer-By";
do $$
begin
    execute format('alter role "Passer-By" in database %I set role = task_app',
                   current_database());
end
$$;
