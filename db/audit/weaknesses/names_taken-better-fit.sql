-- an operator fits the statements' filters better than PostgreSQL's own
-- turns red: names_taken
create schema hidden;
create function hidden.yes(text, varchar) returns boolean language sql stable as 'select true';
create operator public.= (function = hidden.yes, leftarg = text, rightarg = varchar);
