-- Whose changes are numbered: as in task.sql, the head is the caller's, or is not there.
alter table sync_head enable row level security;
alter table sync_head force row level security;

create policy sync_head_select on sync_head for select to task_app
    using (user_id = (select current_setting('app.user_id', true)));

create policy sync_head_insert on sync_head for insert to task_app
    with check (user_id = (select current_setting('app.user_id', true)));

create policy sync_head_update on sync_head for update to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));

create policy sync_head_delete on sync_head for delete to task_app
    using (user_id = (select current_setting('app.user_id', true)));

-- Withheld: the generation (the database gives it) and the floor, which `task-api sweep` raises.
-- Whatever number is given to a new head, its trigger gives it the right one.
grant select, delete on sync_head to task_app;
grant insert (user_id, seq) on sync_head to task_app;
grant update (seq) on sync_head to task_app;

-- `task-api sweep` runs as the owner, whom force binds too: it reaches the heads of those of whose
-- tombstones it sees any (task_tombstone.sql), and no others.
create policy sync_head_sweep_select on sync_head for select to current_user
    using (user_id in (select user_id from task_tombstone));

create policy sync_head_sweep_update on sync_head for update to current_user
    using (user_id in (select user_id from task_tombstone))
    with check (user_id in (select user_id from task_tombstone));

revoke all on function sync_head_begin() from public;
