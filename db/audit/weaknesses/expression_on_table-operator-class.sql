-- an index compares by a function that sends what it compares
-- turns red: expression_on_table
create schema hidden;
create function hidden.compare(text, text) returns integer language plpgsql immutable as $$
begin
    perform pg_notify('titles', $1);
    return bttextcmp($1, $2);
end $$;
create operator class hidden.ops for type text using btree as
    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >,
    function 1 hidden.compare(text, text);
create index on task (user_id, title hidden.ops);
