-- a child in a schema that the role may not use yet
-- turns red: partition_reachable drift
create schema aside;
create table aside.task_archive () inherits (public.task);
grant select on aside.task_archive to task_app;
