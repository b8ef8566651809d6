-- a group within a group: nobody sees the owner at the end of the path
-- turns red: role_member_of_owner drift
create role keepers;
create role helpers in role keepers;
create schema attic authorization keepers;
grant helpers to task_app;
