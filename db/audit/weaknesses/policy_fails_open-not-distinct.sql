-- is not distinct from, which takes NULL for NULL
-- turns red: policy_fails_open drift
alter policy task_select on task using (
    user_id is not distinct from (select current_setting('app.user_id', true)));
