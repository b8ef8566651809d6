drop trigger task_begin on task;
drop function task_begin();
create or replace function task_touch() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := greatest(clock_timestamp(), old.updated_at);
    new.version := old.version + 1;
    return new;
end
$$;
alter table task
    drop column priority, drop column tags, drop column tag_keys, drop column due_date,
    drop column due_time, drop column time_zone, drop column repeat, drop column repeat_from,
    drop column completed_at, drop column next_id, drop column repeat_anchor, drop column due_at;
