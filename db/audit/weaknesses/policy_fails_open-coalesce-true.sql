-- unknown is taken for yes
-- turns red: policy_fails_open drift probe
alter policy task_select on task using (
    coalesce(user_id = (select current_setting('app.user_id', true)), true));
