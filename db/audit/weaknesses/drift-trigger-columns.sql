-- it fires for one column alone
-- turns red: drift
drop trigger task_touch on task;
create trigger task_touch before update of completed on task for each row
    when (old.* is distinct from new.*) execute function task_touch();
