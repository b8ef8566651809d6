-- A trigger asks another schema's operator whether to do something.
-- turns red: names_taken trigger_on_table drift
create function public.agrees(text, text) returns boolean language sql stable
    return $1 operator(pg_catalog.=) $2 or current_setting('app.is_admin', true) is not null;
create operator public.<> (function = public.agrees, leftarg = text, rightarg = text);
create trigger sometimes before update on task for each row
    when (old.title operator(public.<>) new.title) execute function task_touch();
