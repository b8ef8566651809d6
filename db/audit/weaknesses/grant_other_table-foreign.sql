-- tasks of another server, where the connection is everybody's
-- turns red: grant_other_table drift
create foreign data wrapper elsewhere;
create server other foreign data wrapper elsewhere;
create foreign table other_task (user_id text, title text) server other;
grant select on other_task to task_app;
