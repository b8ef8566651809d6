-- the same, for the schema
-- turns red: grant_with_option drift
grant usage on schema public to task_app with grant option;
