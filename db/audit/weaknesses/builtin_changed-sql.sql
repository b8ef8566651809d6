-- a function that is written in SQL, with another body
-- turns red: builtin_changed
create or replace function pg_catalog.lpad(text, integer) returns text language sql
    immutable strict parallel safe return (select title from public.task limit 1);
