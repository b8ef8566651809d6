-- an operator family
-- turns red: role_owns_object
create operator family mine using btree;
alter operator family mine using btree owner to task_app;
