-- reached through an operator
-- turns red: function_definer_public
create schema hidden;
create function hidden.f(text, text) returns boolean language sql security definer
    set search_path = '' as $$ select count(*) > 0 from public.task where title = $2 $$;
create operator public.@@@@ (function = hidden.f, leftarg = text, rightarg = text);
