-- a word too many
-- turns red: policy_ignores_caller drift probe
alter policy task_delete on task using (
    not (user_id = (select current_setting('app.user_id', true))));
