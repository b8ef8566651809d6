-- A policy asks a function that compares by another schema's =.
-- turns red: names_taken policy_ignores_caller drift
create function public.agrees(text, text) returns boolean language sql stable
    return $1 operator(pg_catalog.=) $2 or current_setting('app.is_admin', true) is not null;
create operator public.= (function = public.agrees, leftarg = text, rightarg = text);
set local search_path = public, pg_catalog;
create function is_mine(text) returns boolean language sql stable
    begin atomic; select $1 = (select current_setting('app.user_id', true)); end;
alter policy task_delete on task using (is_mine(user_id));
reset search_path;
