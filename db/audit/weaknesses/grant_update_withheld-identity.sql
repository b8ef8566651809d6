-- renumbering
-- turns red: grant_update_withheld drift probe
grant update (id, version) on task to task_app;
