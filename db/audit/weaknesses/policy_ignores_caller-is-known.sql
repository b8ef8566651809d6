-- a comparison that is known as soon as anybody has
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (
    (user_id = (select current_setting('app.user_id', true))) is not unknown);
