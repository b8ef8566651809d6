-- Somebody's sessions look as if task_app had connected.
-- turns red: role_masked
create role passer_by superuser login;
alter role passer_by set role = task_app;
