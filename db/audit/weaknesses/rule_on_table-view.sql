-- a rule of a view writes as the view's owner
-- turns red: rule_on_table drift
create view open_task with (security_invoker = true) as select * from task;
grant select, insert (title) on open_task to task_app;
create table task_log (title text);
create rule keep_a_copy as on insert to open_task do also
    insert into task_log (title) values (new.title);
