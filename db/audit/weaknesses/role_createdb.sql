-- task_app made the databases of a test suite once
-- turns red: role_createdb drift
alter role task_app createdb;
