-- tables of its own, wherever
-- turns red: grant_catalog
grant create on tablespace pg_default to task_app;
