-- the second table was migrated, and its policy file undone by hand
-- turns red: table_not_enabled drift probe
alter table idempotency_key disable row level security;
