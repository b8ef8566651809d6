-- an enum
-- turns red: role_owns_object
create type mood as enum ('good', 'bad');
alter type mood owner to task_app;
