-- a dashboard of column statistics
-- turns red: grant_catalog
grant select on pg_catalog.pg_statistic to task_app;
