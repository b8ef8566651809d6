-- the wrong column
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (
    title = (select current_setting('app.user_id', true)));
