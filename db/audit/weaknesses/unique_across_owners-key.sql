-- keys are random, so no two people were to have the same one
-- turns red: unique_across_owners probe
alter table idempotency_key drop constraint idempotency_key_pkey, add primary key (key);
