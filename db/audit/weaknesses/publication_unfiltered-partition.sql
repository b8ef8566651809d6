-- a partition of a guarded table is published
-- turns red: publication_unfiltered
create schema stash;
create table stash.event (
    user_id text not null check (user_id <> ''),
    title   text,
    primary key (user_id)
) partition by hash (user_id);
create table stash.event_0 partition of stash.event for values with (modulus 1, remainder 0);
alter table stash.event enable row level security, force row level security;
create publication p for table stash.event_0;
