-- a function, by name
-- turns red: grant_other_object drift
create function greeting() returns text language sql return 'hello';
revoke execute on function greeting() from public;
grant execute on function greeting() to task_app;
