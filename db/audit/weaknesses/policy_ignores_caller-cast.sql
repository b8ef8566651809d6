-- only the first letter of the owner is compared
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task
    using (user_id::"char" = (select current_setting('app.user_id', true)::"char"));
