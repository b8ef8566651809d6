-- the function was made on DATABASE_URL
-- turns red: role_owns_function drift
create function greeting() returns text language sql return 'hello';
alter function greeting() owner to task_app;
