-- the import needed copy ... from program
-- turns red: role_member_of_predefined drift
grant pg_execute_server_program to task_app;
