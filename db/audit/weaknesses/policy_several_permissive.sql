-- a second policy for one command, meant to narrow it, widens it
-- turns red: policy_several_permissive drift
create policy task_select_open on task for select to task_app
    using (user_id = (select current_setting('app.user_id', true)) and not completed);
