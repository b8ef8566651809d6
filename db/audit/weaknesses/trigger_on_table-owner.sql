-- a trigger that says whose the row is
-- turns red: trigger_on_table drift
create function take() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.user_id := lower(new.user_id);
    return new;
end
$$;
create trigger take before insert on task for each row execute function take();
