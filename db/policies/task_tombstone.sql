-- Whose deletions are kept: as in task.sql, the rows are the caller's, or are not there.
alter table task_tombstone enable row level security;
alter table task_tombstone force row level security;

create policy task_tombstone_select on task_tombstone for select to task_app
    using (user_id = (select current_setting('app.user_id', true)));

create policy task_tombstone_insert on task_tombstone for insert to task_app
    with check (user_id = (select current_setting('app.user_id', true)));

create policy task_tombstone_update on task_tombstone for update to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));

create policy task_tombstone_delete on task_tombstone for delete to task_app
    using (user_id = (select current_setting('app.user_id', true)));

-- Withheld: the date, by which rows expire, and any change of whose or of which task a row is.
grant select, delete on task_tombstone to task_app;
grant insert (user_id, task_id, seq, uid) on task_tombstone to task_app;
grant update (seq, uid) on task_tombstone to task_app;

-- `task-api sweep` runs as the owner, whom force binds too: it reaches what has expired, and
-- nothing else.
create policy task_tombstone_sweep_select on task_tombstone for select to current_user
    using (deleted_at < now() - interval '30 days');

create policy task_tombstone_sweep_delete on task_tombstone for delete to current_user
    using (deleted_at < now() - interval '30 days');
