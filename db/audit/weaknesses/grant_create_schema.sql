-- the migrations were to run as the server
-- turns red: grant_create_schema drift
grant create on schema public to task_app;
