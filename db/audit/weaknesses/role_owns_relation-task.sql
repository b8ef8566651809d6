-- the table was handed to the role that "uses" it
-- turns red: role_owns_relation drift probe trigger_on_table
alter table task owner to task_app;
