-- the setting of another framework
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (
    user_id = (select current_setting('request.jwt.claim.sub', true)));
