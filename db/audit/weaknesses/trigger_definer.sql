-- an audit log, written past the policies
-- turns red: trigger_definer drift
create table task_log (title text);
create function task_log() returns trigger language plpgsql security definer
    set search_path = public, pg_temp
as $$
begin
    insert into task_log (title) values (new.title);
    return new;
end
$$;
create trigger task_log after insert on task for each row execute function task_log();
