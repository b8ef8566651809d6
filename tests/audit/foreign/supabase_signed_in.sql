-- The same, but who is signed in is taken for who owns the row, and that for PUBLIC.
-- role authenticated, setting request.jwt.claims, owner column user_id
-- template {"sub": "%s", "role": "authenticated"}
-- finds: policy_always_true policy_to_public probe
create role authenticated nologin noinherit;
create role authenticator login noinherit;
grant authenticated to authenticator;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
create schema auth;
create function auth.uid() returns uuid language sql stable as $$
    select coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
    )::uuid
$$;
grant usage on schema auth to authenticated;
create table public.todo (
    user_id uuid not null,
    id      bigint not null,
    task    text,
    primary key (user_id, id)
);
insert into public.todo values
    ('00000000-0000-4000-8000-00000000000a', 1, 'wash'),
    ('00000000-0000-4000-8000-00000000000b', 1, 'cook');
alter table public.todo enable row level security;
alter table public.todo force row level security;
grant select, insert (user_id, task), update (task), delete on public.todo to authenticated;
create policy signed_in on public.todo for all to public
    using ((select auth.uid()) is not null) with check ((select auth.uid()) is not null);
