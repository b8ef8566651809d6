-- reached through an index
-- turns red: function_definer_public probe
create schema hidden;
create function hidden.f(text) returns text language sql security definer
    set search_path = '' as $$ select pg_catalog.max(key) from public.idempotency_key $$;
alter function hidden.f(text) immutable;
grant usage on schema hidden to task_owner;
grant execute on function hidden.f(text) to task_owner;
revoke execute on function hidden.f(text) from public;
create index on task (user_id, hidden.f(title));
