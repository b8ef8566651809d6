-- a trigger on a partition of a guarded table sends away what is kept there
-- turns red: trigger_on_table
create schema stash;
create table stash.event (
    user_id text not null check (user_id <> ''),
    title   text,
    primary key (user_id)
) partition by hash (user_id);
create table stash.event_0 partition of stash.event for values with (modulus 1, remainder 0);
alter table stash.event enable row level security, force row level security;
create function stash.tell() returns trigger language plpgsql as $$
begin
    perform pg_notify('events', new.title);
    return new;
end $$;
create trigger tell before insert on stash.event_0 for each row execute function stash.tell();
