-- it fires where nobody writes
-- turns red: trigger_on_table
alter table task enable replica trigger task_touch;
