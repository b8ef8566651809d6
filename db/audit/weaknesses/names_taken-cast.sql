-- A cast between PostgreSQL's own types is somebody's function.
-- turns red: names_taken drift probe
create function public.to_number(text) returns bigint language sql immutable return 7;
create cast (text as bigint) with function public.to_number(text);
alter policy task_select on task
    using (user_id = (select current_setting('app.user_id', true)) and title::bigint = id);
