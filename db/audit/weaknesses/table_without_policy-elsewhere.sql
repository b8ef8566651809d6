-- task_app is granted a table in another schema, of which its policies show nothing
-- turns red: table_without_policy drift
create schema stash;
create table stash.later (title text);
alter table stash.later enable row level security, force row level security;
grant select on stash.later to task_app;
