-- Supabase's form: authenticator logs in and takes authenticated on; auth.uid() is the member sub
-- of request.jwt.claims. Grants are narrower than Supabase's own, which give all on every table.
-- role authenticated, setting request.jwt.claims, owner column user_id
-- template {"sub": "%s", "role": "authenticated"}
-- finds:
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
create policy read on public.todo for select to authenticated
    using ((select auth.uid()) = user_id);
create policy make on public.todo for insert to authenticated
    with check ((select auth.uid()) = user_id);
create policy change on public.todo for update to authenticated
    using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
create policy remove on public.todo for delete to authenticated
    using ((select auth.uid()) = user_id);
