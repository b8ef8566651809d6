-- a collation
-- turns red: role_owns_object
create collation mine from "C";
alter collation mine owner to task_app;
