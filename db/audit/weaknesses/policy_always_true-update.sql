-- what may be changed is checked, what it becomes is not
-- turns red: policy_always_true policy_without_check drift
alter policy task_update on task with check (true);
