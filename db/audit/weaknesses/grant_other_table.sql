-- grant ... on all tables, which includes the migration tool's
-- turns red: grant_other_table drift
grant select, insert on _yoyo_migration to task_app;
