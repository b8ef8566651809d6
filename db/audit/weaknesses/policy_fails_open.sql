-- a back-office job has no user, so it was let through: or ... is null
-- turns red: policy_fails_open drift probe
alter policy task_select on task using (
    user_id = (select current_setting('app.user_id', true))
    or (select current_setting('app.user_id', true)) is null);
