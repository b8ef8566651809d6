-- a comparison compared with false: everybody else's
-- turns red: policy_ignores_caller drift probe
alter policy task_delete on task using (
    (user_id = (select current_setting('app.user_id', true)) and not completed) = false);
