-- the role was renamed, and the server's URL with it, but not the policies
-- turns red: role_missing drift probe
alter role task_app rename to tasks_app;
