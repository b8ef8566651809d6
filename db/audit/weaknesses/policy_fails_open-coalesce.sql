-- without a user, each row's own: coalesce(setting, user_id)
-- turns red: policy_fails_open drift probe
alter policy task_delete on task using (
    user_id = coalesce((select current_setting('app.user_id', true)), user_id));
