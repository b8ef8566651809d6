-- a list of people, made from a text
-- turns red: policy_ignores_caller drift
alter policy task_select on task using (
    user_id = any (string_to_array((select current_setting('app.user_id', true)), ',')));
