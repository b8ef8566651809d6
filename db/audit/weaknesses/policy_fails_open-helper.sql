-- the default is hidden in a helper function
-- turns red: policy_fails_open drift
create function app_user() returns text language sql stable
    return coalesce(nullif(current_setting('app.user_id', true), ''), 'admin');
alter policy task_select on task using (user_id = (select app_user()));
