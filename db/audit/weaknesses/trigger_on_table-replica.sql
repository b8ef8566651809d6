-- it fires where nobody writes
-- turns red: trigger_on_table drift
alter table task enable replica trigger task_touch;
