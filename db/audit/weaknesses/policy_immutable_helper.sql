-- immutable, since it made the query faster
-- turns red: policy_immutable_helper drift
create function app_user() returns text language plpgsql immutable as $$
begin
    return current_setting('app.user_id', true);
end
$$;
alter policy task_select on task using (user_id = (select app_user()));
