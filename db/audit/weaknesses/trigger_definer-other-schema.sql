-- another table's rows, kept where no policy is
-- turns red: trigger_definer
create schema aside;
create table aside.note (user_id text primary key check (user_id <> ''), body text);
alter table aside.note enable row level security;
alter table aside.note force row level security;
create table aside.log (body text);
create function aside.keep() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
begin
    insert into aside.log values (new.body);
    return new;
end
$$;
create trigger keep after insert on aside.note for each row execute function aside.keep();
