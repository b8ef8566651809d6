-- a view of a copy, in a schema that the role may not use yet
-- turns red: view_definer drift
create schema stash;
create table stash.copy as select title from task;
create view stash.shown as select title from stash.copy;
grant select on stash.shown to task_app;
