-- drop owned by, meant for grants, took the policies too
-- turns red: table_without_policy drift probe
drop policy task_select on task;
drop policy task_insert on task;
drop policy task_update on task;
drop policy task_delete on task;
