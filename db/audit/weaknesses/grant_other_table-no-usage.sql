-- a copy in a schema that the role may not use yet
-- turns red: grant_other_table drift
create schema stash;
create table stash.copy as select title from task;
grant select on stash.copy to task_app;
