-- the condition does it
-- turns red: trigger_on_table drift
create trigger tell before update on task for each row
    when (pg_notify('tasks', new.title) is null) execute function task_touch();
