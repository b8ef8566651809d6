-- the server was to sweep what has expired, whosever it is
-- turns red: policy_ignores_caller policy_several_permissive drift
alter policy idempotency_key_sweep_select on idempotency_key to task_app;
alter policy idempotency_key_sweep_delete on idempotency_key to task_app;
