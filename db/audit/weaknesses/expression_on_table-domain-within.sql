-- a domain below the type of a column's elements sends them away
-- turns red: expression_on_table
create schema hidden;
create function hidden.sent(text) returns boolean language plpgsql immutable as $$
begin
    perform pg_notify('words', $1);
    return true;
end $$;
create domain hidden.word as text check (hidden.sent(value));
create domain hidden.words as hidden.word[];
alter table task add notes hidden.words;
