drop table task;
drop function task_touch();
