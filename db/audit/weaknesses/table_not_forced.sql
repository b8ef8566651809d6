-- the owner is let off
-- turns red: table_not_forced drift
alter table task no force row level security;
