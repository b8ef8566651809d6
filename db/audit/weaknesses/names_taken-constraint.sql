-- A check asks another schema's operator.
-- turns red: names_taken expression_on_table drift
create function public.differ(text, text) returns boolean language sql immutable return true;
create operator public.<> (function = public.differ, leftarg = text, rightarg = text);
alter table task add constraint said check (title operator(public.<>) '');
