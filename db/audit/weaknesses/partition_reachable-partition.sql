-- a tool grants on every table it finds, partitions included
-- turns red: partition_reachable drift
create table event (
    user_id text   not null check (user_id <> ''),
    id      bigint not null,
    primary key (user_id, id)
) partition by hash (user_id);
create table event_0 partition of event for values with (modulus 1, remainder 0);
alter table event enable row level security;
alter table event force row level security;
grant select on event_0 to task_app;
