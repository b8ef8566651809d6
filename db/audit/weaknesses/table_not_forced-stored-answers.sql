-- the owner is let off, so that the sweep is faster
-- turns red: table_not_forced drift
alter table idempotency_key no force row level security;
