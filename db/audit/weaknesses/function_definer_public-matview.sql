-- its rows are kept, and then nobody may execute it
-- turns red: function_definer_public matview_reachable drift
create schema hidden;
create function hidden.f() returns setof text language sql security definer
    set search_path = '' as $$ select title from public.task $$;
create materialized view report as select hidden.f() as title;
revoke execute on function hidden.f() from public;
grant select on report to task_app;
