-- A column's type is a domain that is called like PostgreSQL's own.
-- turns red: names_taken
create domain public.text as pg_catalog.text collate "C";
alter table task alter description type public.text;
