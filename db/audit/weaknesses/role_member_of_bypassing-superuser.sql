-- an administrator's role was granted for one evening
-- turns red: role_member_of_bypassing drift
create role dba superuser;
grant dba to task_app;
