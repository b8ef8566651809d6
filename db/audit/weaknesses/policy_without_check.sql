-- the policy was written anew, with half of it forgotten
-- turns red: policy_without_check drift
drop policy task_update on task;
create policy task_update on task for update to task_app
    using (user_id = (select current_setting('app.user_id', true)));
