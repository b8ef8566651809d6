-- the trigger is the same, and its function does nothing
-- turns red: drift
create or replace function task_touch() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    return new;
end
$$;
