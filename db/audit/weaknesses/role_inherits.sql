-- the role was made by hand, as create role makes it
-- turns red: role_inherits drift
alter role task_app inherit;
