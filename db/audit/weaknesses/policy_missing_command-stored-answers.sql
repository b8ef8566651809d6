-- the policy by which an answer is kept was dropped, and every retry finds none
-- turns red: policy_missing_command drift probe
drop policy idempotency_key_update on idempotency_key;
