-- the policy was written without "to"
-- turns red: policy_to_public drift
alter policy task_select on task to public;
