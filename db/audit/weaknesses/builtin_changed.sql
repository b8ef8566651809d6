-- a function of PostgreSQL's own is trusted to see rows before the policies do
-- turns red: builtin_changed
alter function pg_catalog.to_date(text, text) leakproof;
