-- a trigger of a view, instead of the insert
-- turns red: trigger_definer drift
create view open_task with (security_invoker = true) as select * from task;
grant select, insert (title) on open_task to task_app;
create function keep() returns trigger language plpgsql security definer
    set search_path = public, pg_temp as $$ begin return new; end $$;
create trigger keep instead of insert on open_task for each row execute function keep();
