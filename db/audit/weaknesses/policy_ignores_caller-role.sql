-- the database role, which is one for all
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (user_id = (select current_user::text));
