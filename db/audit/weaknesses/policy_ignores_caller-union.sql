-- the sub-select finds more than the caller
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (
    user_id in (select current_setting('app.user_id', true) union select task.user_id));
