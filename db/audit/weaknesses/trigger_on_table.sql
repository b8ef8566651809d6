-- every new task is told to whoever listens
-- turns red: trigger_on_table drift
create function tell() returns trigger language plpgsql as $$
begin
    perform pg_notify('tasks', row_to_json(new)::text);
    return new;
end
$$;
create trigger tell after insert or update on task for each row execute function tell();
