-- reached through a cast
-- turns red: function_definer_public
create type wish as (name text);
create schema hidden;
create function hidden.f(public.wish) returns text language sql security definer
    set search_path = '' as $$ select title from public.task limit 1 $$;
create cast (wish as text) with function hidden.f(wish);
