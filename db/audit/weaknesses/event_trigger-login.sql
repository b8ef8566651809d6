-- whoever logs in is somebody
-- turns red: event_trigger drift
-- needs: PostgreSQL 17
create function greet() returns event_trigger language plpgsql as $$
begin
    if session_user = 'task_app' then perform set_config('app.user_id', 'alice', false); end if;
end
$$;
create event trigger greet on login execute function greet();
