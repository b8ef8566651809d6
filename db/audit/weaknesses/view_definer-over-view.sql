-- a view over a view: the inner one asks the caller, the outer one its owner
-- turns red: view_definer drift
create view open_task with (security_invoker = true) as select * from task where not completed;
create view open_title with (security_invoker = false) as select title from open_task;
grant select on open_title to task_app;
