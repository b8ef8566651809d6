-- create schema authorization, as a tutorial has it
-- turns red: role_owns_database_or_schema
create schema scratch authorization task_app;
