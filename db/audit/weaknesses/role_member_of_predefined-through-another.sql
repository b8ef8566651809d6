-- monitoring is a group, and the server is monitored
-- turns red: role_member_of_predefined drift
create role monitoring in role pg_monitor;
grant monitoring to task_app;
