-- a table that was put into an extension, so that nobody asks about it
-- turns red: grant_catalog grant_other_table
create table t as select title from task;
grant select on t to task_app;
alter extension plpgsql add table t;
