-- unknown is not false
-- turns red: policy_fails_open drift probe
alter policy task_select on task using (
    (user_id = (select current_setting('app.user_id', true))) is not false);
