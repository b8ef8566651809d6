-- for update there is only a restrictive policy, which lets nothing through
-- turns red: policy_missing_command drift probe
drop policy task_update on task;
create policy task_update on task as restrictive for update to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));
