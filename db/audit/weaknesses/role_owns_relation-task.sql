-- the table was handed to the role that "uses" it
-- turns red: role_owns_relation drift probe
alter table task owner to task_app;
