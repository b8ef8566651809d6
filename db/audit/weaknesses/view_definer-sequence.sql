-- a view of the sequence shows how many tasks there are
-- turns red: view_definer grant_other_object drift
create schema stash;
create view stash.shown as select last_value from task_id_seq;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
