-- without a user, somebody whom everybody shares
-- turns red: policy_fails_open drift
alter policy task_select on task using (
    user_id = (select coalesce(current_setting('app.user_id', true), 'anonymous')));
