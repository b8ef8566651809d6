-- a comparison that is unknown when nobody has said who is asking
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (
    (user_id = (select current_setting('app.user_id', true))) is null);
