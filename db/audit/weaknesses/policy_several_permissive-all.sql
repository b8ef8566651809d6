-- one policy for all commands next to one for each
-- turns red: policy_several_permissive drift
create policy task_all on task to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));
