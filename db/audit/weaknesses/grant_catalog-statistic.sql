-- the commonest titles, for every role
-- turns red: grant_catalog
grant select on pg_statistic to public;
