-- another table's rows, told to whoever listens
-- turns red: trigger_on_table
create schema aside;
create table aside.note (user_id text primary key check (user_id <> ''), body text);
alter table aside.note enable row level security;
alter table aside.note force row level security;
create function aside.tell() returns trigger language plpgsql as $$
begin
    perform pg_notify('notes', new.body);
    return new;
end
$$;
create trigger tell after insert on aside.note for each row execute function aside.tell();
