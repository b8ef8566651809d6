-- a view that everybody may read shows titles
-- turns red: builtin_changed view_definer
create or replace view information_schema.information_schema_catalog_name as
    select max(title)::information_schema.sql_identifier as catalog_name from public.task;
