-- another function of the same form stands in its place
-- turns red: drift
create schema aside;
create function aside.task_touch() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := greatest(clock_timestamp(), old.updated_at);
    return new;
end
$$;
create or replace trigger task_touch before update on task
    for each row when (old.* is distinct from new.*) execute function aside.task_touch();
drop function task_touch();
