-- change data capture was set up with the password at hand
-- turns red: role_replication drift
alter role task_app replication;
