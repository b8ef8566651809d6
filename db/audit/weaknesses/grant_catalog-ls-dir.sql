-- the server's folders
-- turns red: grant_catalog
grant execute on function pg_ls_dir(text) to task_app;
