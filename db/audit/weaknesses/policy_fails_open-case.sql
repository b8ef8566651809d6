-- the same by way of case
-- turns red: policy_fails_open drift probe
alter policy task_update on task using (
    case when (select current_setting('app.user_id', true)) is null then true
         else user_id = (select current_setting('app.user_id', true)) end);
