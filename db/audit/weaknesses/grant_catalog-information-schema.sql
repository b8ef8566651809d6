-- the options of user mappings, below a view that hides them
-- turns red: grant_catalog
grant select on information_schema._pg_user_mappings to public;
