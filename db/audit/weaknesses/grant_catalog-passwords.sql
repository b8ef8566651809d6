-- the passwords, for every role
-- turns red: grant_catalog
grant select on pg_authid to public;
