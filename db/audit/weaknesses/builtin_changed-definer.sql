-- a function of PostgreSQL's own runs as a superuser, for everybody
-- turns red: builtin_changed function_definer_public
alter function pg_catalog.query_to_xml(text, boolean, boolean, text)
    security definer set search_path = pg_catalog, pg_temp;
