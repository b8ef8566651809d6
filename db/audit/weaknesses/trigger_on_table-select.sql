-- it sets a column, to another's
-- turns red: trigger_on_table drift
create function take() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.description := (select title from public.task limit 1);
    return new;
end
$$;
create trigger take before insert on task for each row execute function take();
