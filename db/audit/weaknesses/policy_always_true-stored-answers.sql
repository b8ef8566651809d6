-- a replay did not find its answer, so every answer was shown
-- turns red: policy_always_true drift probe
alter policy idempotency_key_select on idempotency_key using (true);
