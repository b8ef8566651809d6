-- Each change of a person's tasks has a number, so that their devices can ask for what is new.
--
-- A person's head holds the number of their latest change. Whoever changes a task of theirs locks
-- it first and keeps it until the commit: so the changes of one person are committed in the order
-- of their numbers, a rollback leaves no gap, and nobody else waits.
--
-- For a table of any size: constant defaults rewrite nothing. As in 0003, the lock is tried for a
-- short time. The triggers that number what is written are made with the grants that they need
-- (db/policies/task.sql): until then a server of the version before writes as ever.
--
-- depends: 0004.task-members-indexed

set local lock_timeout = '500ms';

alter table task
    add column seq bigint not null default 0,
    -- Given by a client to a task that it makes offline, so that it is made once.
    add column uid uuid;

-- generation: another one says that all numbers told before are void. floor: up to this number,
-- deletions may have been forgotten. The free space in each page is for the next change of a head.
create table sync_head (
    user_id     text        primary key check (user_id <> ''),
    generation  uuid        not null default gen_random_uuid(),
    seq         bigint      not null default 0,
    floor       bigint      not null default 0
) with (fillfactor = 50);

-- What is kept of a deleted task for as long as devices may not know that it is gone.
create table task_tombstone (
    user_id     text        not null check (user_id <> ''),
    task_id     bigint      not null,
    seq         bigint      not null,
    uid         uuid,
    -- The clock, not now(): in the order of the numbers.
    deleted_at  timestamptz not null default clock_timestamp(),
    primary key (user_id, task_id)
);

create index task_tombstone_user_id_seq_task_id on task_tombstone (user_id, seq, task_id);
create index task_tombstone_deleted_at on task_tombstone (deleted_at);
create index task_tombstone_user_id_uid on task_tombstone (user_id, uid) where uid is not null;

-- A head may be removed. The next one goes on where the numbers of the person's tasks have ended.
create function sync_head_begin() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.seq := coalesce(greatest(
        (select max(seq) from public.task where user_id = new.user_id),
        (select max(seq) from public.task_tombstone where user_id = new.user_id)), 0);
    return new;
end
$$;

create trigger sync_head_begin before insert on sync_head
    for each row execute function sync_head_begin();

-- Before any task is locked, so that everybody takes the locks in the same order: who changes
-- several tasks would otherwise wait for the task of one who waits for the head. Who has no task
-- needs no head.
create function task_hold() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    caller constant text := current_setting('app.user_id', true);
begin
    perform from public.sync_head where user_id = caller for no key update;
    if not found and exists (select from public.task where user_id = caller) then
        insert into public.sync_head (user_id) values (caller) on conflict do nothing;
        perform from public.sync_head where user_id = caller for no key update;
    end if;
    return null;
end
$$;

-- A transaction moves a head once, however many tasks it changes; app.sync_moved is the head that it
-- moved, until it ends. A task that is made again, by its uid, is left as it is or as it was: then
-- nothing is inserted. A row that the policies of task are about to refuse has no owner here.
create function task_number() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    owner constant text := case when new.user_id = current_setting('app.user_id', true)
        or not row_security_active('public.sync_head') then nullif(new.user_id, '') end;
    moved constant text := concat(pg_current_xact_id(), ' ', owner);
begin
    if owner is null then
        new.seq := 0;
        return new;
    end if;
    if tg_op = 'INSERT' and new.uid is not null then
        if not exists (select from public.sync_head where user_id = owner) then
            insert into public.sync_head (user_id) values (owner) on conflict do nothing;
        end if;
        perform from public.sync_head where user_id = owner for no key update;
        if exists (select from public.task where user_id = owner and uid = new.uid)
           or exists (select from public.task_tombstone
                       where user_id = owner and uid = new.uid) then
            return null;
        end if;
    end if;
    if moved = current_setting('app.sync_moved', true) then
        select seq into new.seq from public.sync_head where user_id = owner;
        return new;
    end if;
    update public.sync_head set seq = seq + 1 where user_id = owner returning seq into new.seq;
    if not found then
        insert into public.sync_head (user_id) values (owner) on conflict do nothing;
        update public.sync_head set seq = seq + 1 where user_id = owner returning seq into new.seq;
        if not found then
            raise 'the head was removed meanwhile' using errcode = 'serialization_failure';
        end if;
    end if;
    perform set_config('app.sync_moved', moved, true);
    return new;
end
$$;

create function task_bury() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not row_security_active('public.sync_head') then  -- the tasks may be anybody's
        insert into public.sync_head (user_id) select distinct user_id from gone
            on conflict do nothing;
    end if;
    with head as (
        update public.sync_head set seq = seq + 1
         where user_id in (select user_id from gone) returning user_id, seq)
    insert into public.task_tombstone (user_id, task_id, seq, uid)
    select gone.user_id, gone.id, head.seq, gone.uid
      from gone join head on head.user_id = gone.user_id
    -- an operator has put a deleted task back
    on conflict (user_id, task_id) do update set seq = excluded.seq, uid = excluded.uid;
    return null;
end
$$;
