-- Lists are sorted by the date of creation, and what a person sent is remembered for a day.
--
-- depends: 0001.create-task

-- The newest first, all of them or those that are done, and from any place on.
create index task_user_id_created_at_id on task (user_id, created_at, id);
create index task_user_id_completed_created_at_id on task (user_id, completed, created_at, id);
drop index task_user_id_completed_id;

-- What a request with an Idempotency-Key was, and how it was answered. The row is written in the
-- transaction of what the request did, so neither is there without the other.
create table idempotency_key (
    user_id     text        not null check (user_id <> ''),
    key         text        not null check (char_length(key) between 1 and 255),
    fingerprint text        not null,
    status      smallint,
    headers     text,
    body        text,
    created_at  timestamptz not null default now(),
    primary key (user_id, key)
);

create index idempotency_key_user_id_created_at on idempotency_key (user_id, created_at);
create index idempotency_key_created_at on idempotency_key (created_at);
