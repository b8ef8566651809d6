-- a foreign server, and a password
-- turns red: grant_other_object
create foreign data wrapper nothing;
create server elsewhere foreign data wrapper nothing;
grant usage on foreign server elsewhere to task_app;
create user mapping for task_app server elsewhere options (password 'secret');
