-- the (select ...) looked needless
-- turns red: policy_unwrapped_setting drift
alter policy task_select on task using (user_id = current_setting('app.user_id', true));
