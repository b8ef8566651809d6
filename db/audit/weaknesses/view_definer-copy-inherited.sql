-- a view of a table whose rows are the guarded one's
-- turns red: view_definer grant_other_object table_inherited drift
create schema stash;
create table stash.copy as select * from task with no data;
alter table task inherit stash.copy;
create view stash.shown as select title from stash.copy;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
