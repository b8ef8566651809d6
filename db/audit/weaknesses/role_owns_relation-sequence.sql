-- a counter of the server's own
-- turns red: role_owns_relation
create sequence ticket;
alter sequence ticket owner to task_app;
