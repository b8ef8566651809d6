-- A task has a priority, tags, a due date and a repetition.
--
-- For a table of any size: constant defaults rewrite nothing, and no check is proven here
-- (0004 does that). The lock that this needs makes everybody wait, so it is tried for a short
-- time; who waits for longer tries again.
--
-- depends: 0002.lists-and-idempotency

set local lock_timeout = '500ms';

alter table task
    -- 1 to 3, so that it sorts by rank; comparisons of numbers are leakproof, of enums not.
    add column priority      smallint,
    add column tags          text[]    not null default '{}',
    -- The tags in Unicode's full case folding, in the same order, by which they are compared.
    add column tag_keys      text[]    not null default '{}',
    add column due_date      date,
    add column due_time      time,
    add column time_zone     text,
    add column repeat        text,
    add column repeat_from   text      not null default 'due',
    add column completed_at  timestamptz,
    add column next_id       bigint,
    -- The due date that gave a series its day of the month, where that is not due_date.
    add column repeat_anchor date,
    -- What the list by due date is sorted by: without a time, a task is the last of its day.
    add column due_at        timestamp;

alter table task
    add constraint task_priority_check check (priority between 1 and 3) not valid,
    add constraint task_tags_check check (
        cardinality(tags) <= 20 and cardinality(tag_keys) = cardinality(tags)
        and array_position(tags, null) is null and array_position(tag_keys, null) is null) not valid,
    add constraint task_due_date_check check (
        due_date between '0001-01-01' and '9999-12-31') not valid,
    add constraint task_due_time_check check (
        due_time is null or due_date is not null and due_time < '24:00' and extract(second from due_time) = 0)
        not valid,
    add constraint task_time_zone_check check (
        time_zone is null or due_time is not null and char_length(time_zone) <= 64) not valid,
    add constraint task_repeat_check check (
        repeat is null or due_date is not null and char_length(repeat) <= 200) not valid,
    -- In a rule as it is stored, UNTIL is the last part.
    add constraint task_repeat_until_check check (
        repeat not like '%UNTIL=%' or cast(right(repeat, 8) as date) >= due_date) not valid,
    add constraint task_repeat_from_check check (repeat_from in ('due', 'completion')) not valid;

-- completed_at is set when a task is completed and kept until it is not; a series that is given
-- another day or another rule begins there.
create or replace function task_touch() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := greatest(clock_timestamp(), old.updated_at);
    new.version := old.version + 1;
    new.completed_at := case when new.completed then
        case when old.completed then old.completed_at else new.updated_at end end;
    new.due_at := new.due_date + coalesce(new.due_time, make_time(23, 59, 59.999999));
    new.repeat_anchor := case when nullif(old.due_date, new.due_date) is null
        and nullif(old.repeat, new.repeat) is null then new.repeat_anchor end;
    return new;
end
$$;

create function task_begin() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.completed_at := case when new.completed then new.created_at end;
    new.due_at := new.due_date + coalesce(new.due_time, make_time(23, 59, 59.999999));
    return new;
end
$$;

create trigger task_begin before insert on task
    for each row when (new.completed or new.due_date is not null)
    execute function task_begin();
