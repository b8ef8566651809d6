-- a foreign server
-- turns red: role_owns_object
create foreign data wrapper nothing;
create server elsewhere foreign data wrapper nothing;
grant usage on foreign data wrapper nothing to task_app;
alter server elsewhere owner to task_app;
revoke usage on foreign data wrapper nothing from task_app;
