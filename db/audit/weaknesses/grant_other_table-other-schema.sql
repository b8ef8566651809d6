-- a copy somebody made, without the column that would have given it away
-- turns red: grant_other_table grant_other_object drift
create schema export;
create table export.titles as select title from task;
grant usage on schema export to task_app;
grant select (title) on export.titles to task_app;
