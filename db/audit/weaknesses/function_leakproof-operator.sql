-- in a schema that the role may not use, and called by an operator
-- turns red: function_leakproof
create schema hidden;
create function hidden.seen(text, text) returns boolean language plpgsql leakproof
    as $$ begin raise notice '%', $1; return true; end $$;
create operator public.@@@@ (function = hidden.seen, leftarg = text, rightarg = text);
