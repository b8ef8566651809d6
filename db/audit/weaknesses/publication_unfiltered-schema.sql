-- the same for a schema
-- turns red: publication_unfiltered
create publication ours for tables in schema public;
