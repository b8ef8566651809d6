-- the policy for delete was dropped, the grant was not
-- turns red: policy_missing_command drift probe
drop policy task_delete on task;
