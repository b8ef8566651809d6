-- a database that was upgraded from PostgreSQL 14
-- turns red: grant_create_schema drift
grant create on schema public to public;
