-- create function, and no word about volatility
-- turns red: policy_volatile_helper drift
create function app_user() returns text language plpgsql as $$
begin
    return current_setting('app.user_id', true);
end
$$;
alter policy task_select on task using (user_id = (select app_user()));
