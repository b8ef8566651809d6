-- reached through the check of a domain
-- turns red: function_definer_public
create schema hidden;
create function hidden.f(text) returns boolean language sql security definer
    set search_path = '' as $$ select count(*) > 0 from public.task where title = $1 $$;
revoke execute on function hidden.f(text) from public;
create domain wish as text check (hidden.f(value));
