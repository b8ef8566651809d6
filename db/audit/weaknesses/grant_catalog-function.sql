-- attachments were read from the server's disk
-- turns red: grant_catalog
grant execute on function pg_catalog.pg_read_file(text) to task_app;
