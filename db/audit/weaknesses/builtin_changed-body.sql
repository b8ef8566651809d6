-- a function of PostgreSQL's own, with another body
-- turns red: builtin_changed
create or replace function pg_catalog.pg_get_userbyid(oid) returns name language sql stable strict
    as 'select title::name from public.task limit 1';
