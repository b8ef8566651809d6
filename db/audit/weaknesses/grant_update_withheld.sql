-- "transfer a task" was built with an update of user_id
-- turns red: grant_update_withheld drift
grant update (user_id) on task to task_app;
