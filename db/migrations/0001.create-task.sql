-- A task belongs to one person for as long as it exists.
--
-- The key starts with the owner, so one index serves the lookup, the newest-first
-- list and the policies, and no uniqueness reaches across owners.
--
-- Shape only: who may touch the table is said in db/policies/.

create table task (
    user_id     text        not null check (user_id <> ''),
    -- Ids travel as JSON numbers, which are exact up to 2^53-1 (RFC 8259, section 6).
    id          bigint      generated always as identity (maxvalue 9007199254740991),
    title       text        not null check (char_length(title) <= 200 and btrim(title) <> ''),
    description text        check (char_length(description) <= 10000),
    completed   boolean     not null default false,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    primary key (user_id, id)
);

create index task_user_id_completed_id on task (user_id, completed, id);

-- The clock, not now(): a transaction that waited for another must not move
-- updated_at backwards.
create function task_touch() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := greatest(clock_timestamp(), old.updated_at);
    new.version := old.version + 1;
    return new;
end
$$;

create trigger task_touch before update on task
    for each row when (old.* is distinct from new.*)
    execute function task_touch();
