-- a copy in a schema that the role may not use yet
-- turns red: matview_reachable drift
create schema stash;
create materialized view stash.shown as select title from task;
grant select on stash.shown to task_app;
