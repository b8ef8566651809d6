-- the columns were too long to write down
-- turns red: grant_update_withheld drift probe
grant update on task to task_app;
