-- the trigger is the same, and its function is not
-- turns red: trigger_on_table drift
create or replace function task_touch() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('tasks', new.title);
    new.version := old.version + 1;
    return new;
end
$$;
