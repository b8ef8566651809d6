-- a helper function, called once a row
-- turns red: policy_unwrapped_setting drift
create function app_user() returns text language sql stable
    return current_setting('app.user_id', true);
alter policy task_delete on task using (user_id = app_user());
