-- the role of a dump, which must not be filtered, was the serving role
-- turns red: row_security_off drift
alter role task_app set row_security = off;
