-- The application connects as the role that made the tables. Row security is enabled, the policies
-- are right, and the owner is not bound by them.
-- role notes_app, setting app.user_id, owner column user_id
-- finds: role_owns_relation table_not_forced probe
create role notes_app login noinherit;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
create table public.note (
    user_id text   not null check (user_id <> ''),
    id      bigint not null,
    body    text,
    primary key (user_id, id)
);
insert into public.note values ('ann', 1, 'mine'), ('ben', 1, 'his');
alter table public.note enable row level security;
create policy own on public.note for all to notes_app
    using (user_id = (select current_setting('app.user_id', true)))
    with check (user_id = (select current_setting('app.user_id', true)));
alter table public.note owner to notes_app;
