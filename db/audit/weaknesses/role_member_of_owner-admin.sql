-- the membership was made to give neither INHERIT nor SET, but may be administered
-- turns red: role_member_of_owner drift
-- needs: PostgreSQL 16
create role keepers;
create schema attic authorization keepers;
grant keepers to task_app with admin true, inherit false, set false;
