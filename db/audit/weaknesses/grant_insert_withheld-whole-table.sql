-- grant select, insert, update, delete, as every tutorial has it
-- turns red: grant_insert_withheld drift probe
grant insert on task to task_app;
