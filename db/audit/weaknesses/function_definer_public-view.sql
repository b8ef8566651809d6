-- reached through a view
-- turns red: function_definer_public grant_other_object view_definer drift
create schema hidden;
create function hidden.f() returns text language sql security definer
    set search_path = '' as $$ select title from public.task limit 1 $$;
create schema reports;
create view reports.titles as select hidden.f() as title;
grant usage on schema reports to task_app;
grant select on reports.titles to task_app;
