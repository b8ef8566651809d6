-- reached through a column's default
-- turns red: function_definer_public
create schema hidden;
create function hidden.f() returns text language sql security definer
    set search_path = '' as $$ select title from public.task limit 1 $$;
alter table task alter description set default hidden.f();
