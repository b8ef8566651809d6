-- reached through an aggregate, which does not ask whether it may be executed
-- turns red: function_definer_public drift
create schema hidden;
create function hidden.f(text, integer) returns text language sql security definer
    set search_path = '' as $$ select pg_catalog.string_agg(title, $1) from public.task $$;
revoke execute on function hidden.f(text, integer) from public;
create aggregate titles(integer) (sfunc = hidden.f, stype = text, initcond = ',');
