-- a view that was put into an extension
-- turns red: view_definer grant_catalog grant_other_object
create schema stash;
create table stash.copy as select title from task;
create view stash.shown as select title from stash.copy;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
alter extension plpgsql add view stash.shown;
