-- a group has it, and the serving role is put into the group
-- turns red: grant_catalog drift
create role group_of_readers;
grant select on pg_statistic_ext_data to group_of_readers;
grant group_of_readers to task_app;
