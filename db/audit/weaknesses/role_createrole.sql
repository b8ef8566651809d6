-- task_app made the roles of a test suite once
-- turns red: role_createrole drift
alter role task_app createrole;
