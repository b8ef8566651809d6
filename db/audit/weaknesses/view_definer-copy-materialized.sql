-- a view of a materialized view
-- turns red: view_definer grant_other_object drift
create schema stash;
create materialized view stash.copy as select title from task;
create view stash.shown as select title from stash.copy;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
