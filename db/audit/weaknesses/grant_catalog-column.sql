-- one column, for a page of statistics
-- turns red: grant_catalog
grant select (stavalues1) on pg_catalog.pg_statistic to task_app;
