-- the tables belong to a group, and the serving role was put into it: by SET ROLE, directly
-- turns red: role_member_of_owner drift
create role keepers;
alter table task owner to keepers;
grant keepers to task_app;
