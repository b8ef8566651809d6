-- grant usage on all sequences, which serial columns needed
-- turns red: grant_sequence drift
grant usage, select on all sequences in schema public to task_app;
