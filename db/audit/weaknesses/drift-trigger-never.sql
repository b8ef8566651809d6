-- it was made again, so that it never fires
-- turns red: drift
drop trigger task_touch on task;
create trigger task_touch before update on task for each row when (false)
    execute function task_touch();
