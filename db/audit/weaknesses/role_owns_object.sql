-- a domain that a column uses
-- turns red: role_owns_object
create domain title as text;
alter domain title owner to task_app;
alter table task alter title type title;
