-- a policy for a state, not for a person
-- turns red: policy_ignores_caller drift probe
alter policy task_select on task using (not completed);
