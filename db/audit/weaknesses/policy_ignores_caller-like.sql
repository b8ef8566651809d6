-- like, for which a user called % is everybody
-- turns red: policy_ignores_caller drift
alter policy task_select on task using (
    user_id like (select current_setting('app.user_id', true)));
