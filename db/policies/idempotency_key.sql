-- Whose answers are remembered: as in task.sql, the rows are the caller's, or are not there.
alter table idempotency_key enable row level security;
alter table idempotency_key force row level security;

create policy idempotency_key_select on idempotency_key for select to task_app
    using (user_id = (select current_setting('app.user_id', true)));

create policy idempotency_key_insert on idempotency_key for insert to task_app
    with check (user_id = (select current_setting('app.user_id', true)));

create policy idempotency_key_update on idempotency_key for update to task_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));

create policy idempotency_key_delete on idempotency_key for delete to task_app
    using (user_id = (select current_setting('app.user_id', true)));

-- Withheld: the date, by which rows expire, and any change of whose or of what request a row is.
grant select, delete on idempotency_key to task_app;
grant insert (user_id, key, fingerprint) on idempotency_key to task_app;
grant update (status, headers, body) on idempotency_key to task_app;

-- `task-api sweep` runs as the owner, whom force binds too: it reaches what has expired, and
-- nothing else. current_user is whoever runs migrate.
create policy idempotency_key_sweep_select on idempotency_key for select to current_user
    using (created_at < now() - interval '24 hours');

create policy idempotency_key_sweep_delete on idempotency_key for delete to current_user
    using (created_at < now() - interval '24 hours');
