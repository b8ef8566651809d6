-- a function in pg_catalog, found before any other
-- turns red: builtin_changed function_definer_public
create function pg_catalog.pl_titles() returns setof text language sql security definer
    set search_path = '' as 'select title from public.task';
