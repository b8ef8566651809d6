-- somebody else owns the trigger's function, and can write another one in its place
-- turns red: trigger_on_table
create role mallory;
alter function task_touch() owner to mallory;
