-- a type, by name
-- turns red: grant_other_object
create type mood as enum ('good', 'bad');
grant usage on type mood to task_app;
