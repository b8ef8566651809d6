-- a restrictive policy is shown every row
-- turns red: policy_volatile_helper drift
create schema hidden;
create function hidden.seen(text) returns boolean language plpgsql as $$
begin
    perform pg_notify('titles', $1);
    return true;
end $$;
create policy narrow on task as restrictive for select to task_app using (hidden.seen(title));
