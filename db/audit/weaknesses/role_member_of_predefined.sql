-- "read only access for the API", with the role that has the name for it
-- turns red: role_member_of_predefined drift
grant pg_read_all_data to task_app;
