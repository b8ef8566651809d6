-- the report needs all rows now and then, so the serving role may become the one that sees them
-- turns red: role_member_of_bypassing drift
create role reporting bypassrls;
grant reporting to task_app;
