-- a policy with a clock of its own
-- turns red: policy_volatile_helper drift
alter policy task_select on task using (
    user_id = (select current_setting('app.user_id', true)) and created_at < clock_timestamp());
