-- two harmless roles and one that is not
-- turns red: role_member_of_bypassing drift
create role reporting bypassrls;
create role helpers in role reporting;
create role staff in role helpers;
grant staff to task_app;
