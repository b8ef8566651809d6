-- An index is made of another schema's function.
-- turns red: names_taken expression_on_table drift
create function public.lower(text) returns text language sql immutable return '';
create index on task (user_id, public.lower(title));
