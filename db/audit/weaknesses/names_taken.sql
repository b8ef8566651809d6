-- Another schema's = stands in front of PostgreSQL's, and a policy is made anew.
-- turns red: names_taken policy_ignores_caller drift
create function public.agrees(text, text) returns boolean language sql stable
    return $1 operator(pg_catalog.=) $2 or current_setting('app.is_admin', true) is not null;
create operator public.= (function = public.agrees, leftarg = text, rightarg = text);
set local search_path = public, pg_catalog;
alter policy task_select on task using (user_id = (select current_setting('app.user_id', true)));
reset search_path;
