-- the same, and in force at once
-- turns red: role_member_of_predefined drift
-- needs: PostgreSQL 16
grant pg_read_all_data to task_app with inherit true;
