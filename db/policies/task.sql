-- Whose tasks: those whose user_id is the app.user_id of the transaction.
--
-- Enabled for everybody, and forced, so that it binds the table's owner as well.
alter table task enable row level security;
alter table task force row level security;

-- One policy for each command, for task_app alone, using and with check both written.
--
-- The setting is NULL in a fresh session and '' once a transaction that set it has
-- ended. Nothing equals NULL, and no row has '' (check (user_id <> '')): without
-- somebody's name there is nothing to read and nothing can be written.
-- The (select ...) makes it one look-up a statement instead of one a row.
create policy task_select on task for select to task_app
    using (user_id = (select current_setting('app.user_id', true)));

create policy task_insert on task for insert to task_app
    with check (user_id = (select current_setting('app.user_id', true)));

create policy task_update on task for update to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));

create policy task_delete on task for delete to task_app
    using (user_id = (select current_setting('app.user_id', true)));

-- Withheld: id, seq, the dates and due_at (the database gives them), any change of owner or uid,
-- and truncate, references and trigger, which no policy governs. A task is made without next_id,
-- and repeat_anchor is given to a new one only.
grant select, delete on task to task_app;
grant insert (user_id, title, description, completed, priority, tags, tag_keys, due_date, due_time, time_zone, repeat, repeat_from, repeat_anchor, uid) on task to task_app;
grant update (title, description, completed, priority, tags, tag_keys, due_date, due_time, time_zone, repeat, repeat_from, next_id) on task to task_app;

-- A trigger needs no execute at run time; nobody else has a use for it.
revoke all on function task_touch() from public;
do $$
begin
    if to_regprocedure('public.task_begin()') is not null then  -- not there before 0003
        revoke all on function task_begin() from public;
    end if;
    if to_regprocedure('public.task_hold()') is not null then  -- not there before 0005
        revoke all on function task_hold(), task_number(), task_bury() from public;
    end if;
end
$$;

-- What these write, task_app may write from the same moment on, and not before: so they are made
-- here, and a server that writes while the database is migrated is not refused.
do $$
begin
    if to_regprocedure('public.task_hold()') is not null then
        create or replace trigger task_hold before update or delete on task
            for each statement execute function task_hold();
        create or replace trigger task_number before insert on task
            for each row execute function task_number();
        create or replace trigger task_renumber before update on task
            for each row when (old.* is distinct from new.*) execute function task_number();
        create or replace trigger task_bury after delete on task
            referencing old table as gone for each statement execute function task_bury();
    end if;
end
$$;
