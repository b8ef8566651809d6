-- Another schema's current_setting() says who is asking.
-- turns red: names_taken policy_fails_open policy_ignores_caller drift
create function public.current_setting(text, boolean) returns text language sql stable
    return coalesce(pg_catalog.current_setting('app.is_admin', true),
                    pg_catalog.current_setting($1, $2));
set local search_path = public, pg_catalog;
alter policy task_update on task using (user_id = (select current_setting('app.user_id', true)));
reset search_path;
