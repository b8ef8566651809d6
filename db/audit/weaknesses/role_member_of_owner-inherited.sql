-- the tables belong to a group, and the serving role was put into it: inherited, directly
-- turns red: role_member_of_owner drift probe
-- needs: PostgreSQL 16
create role keepers;
alter table task owner to keepers;
grant keepers to task_app with inherit true, set false;
