-- in a schema that the role may not use, of which nothing is known to depend on it
-- turns red: function_definer_public
create schema hidden;
create function hidden.f() returns text language sql security definer
    set search_path = '' as $$ select title from public.task limit 1 $$;
