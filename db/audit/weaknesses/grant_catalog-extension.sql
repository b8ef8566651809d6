-- the write-ahead log, by an extension's function
-- turns red: grant_catalog
-- needs: extension pg_walinspect
create extension pg_walinspect;
grant execute on function pg_get_wal_records_info(pg_lsn, pg_lsn) to task_app;
