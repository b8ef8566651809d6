-- a helper that reads something else
-- turns red: policy_ignores_caller drift probe
create function app_user() returns text language sql stable
    return current_setting('app.tenant_id', true);
alter policy task_select on task using (user_id = (select app_user()));
