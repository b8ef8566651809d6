-- the front end would like to choose the id
-- turns red: grant_insert_withheld drift probe
grant insert (id) on task to task_app;
