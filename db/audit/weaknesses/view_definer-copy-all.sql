-- a view of a copy of everything
-- turns red: view_definer grant_other_object drift
create schema stash;
create table stash.copy as select * from task;
create view stash.shown as select title from stash.copy;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
