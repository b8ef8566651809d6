-- a second arm, for tasks that everybody may see
-- turns red: policy_fails_open drift
alter policy task_select on task using (
    user_id = (select current_setting('app.user_id', true)) or completed);
