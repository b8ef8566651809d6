-- A column's default is another schema's function.
-- turns red: names_taken expression_on_table drift
create function public.now() returns timestamptz language sql stable return pg_catalog.now();
alter table task alter created_at set default public.now();
