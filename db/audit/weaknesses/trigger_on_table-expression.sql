-- it only sets a column, to what a function returns that does more
-- turns red: trigger_on_table drift
create function tell() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.description := pg_notify('tasks', new.title);
    return new;
end
$$;
create trigger tell before insert on task for each row execute function tell();
