-- another table's trigger, dropped, and its function not
-- turns red: trigger_missing
create schema aside;
create table aside.note (user_id text primary key check (user_id <> ''), version bigint);
alter table aside.note enable row level security;
alter table aside.note force row level security;
create function aside.touch() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$ begin new.version := old.version + 1; return new; end $$;
