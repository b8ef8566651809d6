-- a copy elsewhere is granted to a role that task_app can become
-- turns red: table_not_enabled drift
create role reader;
create schema stash;
create table stash.copy as select * from task;
alter table stash.copy alter user_id set not null, add check (user_id <> '');
create index on stash.copy (user_id);
grant select on stash.copy to reader;
grant reader to task_app;
