-- the range type of a column sends what it measures
-- turns red: expression_on_table
create schema hidden;
create function hidden.between(float8, float8) returns float8 language plpgsql immutable as $$
begin
    perform pg_notify('lengths', $1::text);
    return $1 - $2;
end $$;
create type hidden.span as range (subtype = float8, subtype_diff = hidden.between);
revoke execute on all functions in schema hidden from public;
alter table task add span hidden.span;
