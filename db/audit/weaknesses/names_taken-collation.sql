-- A column is sorted and compared by a collation that is called like PostgreSQL's own.
-- turns red: names_taken
create collation public."C" from pg_catalog."POSIX";
alter table task alter description type text collate public."C";
