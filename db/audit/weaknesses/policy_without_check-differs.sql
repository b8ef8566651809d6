-- what is written is checked for something else than what is read
-- turns red: policy_without_check policy_ignores_caller drift probe
alter policy task_update on task with check (user_id <> '' and char_length(title) > 1);
