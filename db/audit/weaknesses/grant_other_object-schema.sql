-- a schema in which nothing of it is
-- turns red: grant_other_object
create schema stash;
grant usage on schema stash to public;
