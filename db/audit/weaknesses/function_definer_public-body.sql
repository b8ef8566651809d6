-- called in the body of another
-- turns red: function_definer_public drift
create schema hidden;
create function hidden.f() returns text language sql security definer
    set search_path = '' as $$ select title from public.task limit 1 $$;
revoke execute on function hidden.f() from public;
create function first_title() returns text language sql begin atomic select hidden.f(); end;
