-- Back-office jobs have a role of their own, for which a policy lets every row through. The role
-- was granted to all, so that the scheduler could take it on; so can the web server.
-- role desk_web, setting desk.agent, owner column agent
-- finds: policy_always_true policy_several_permissive
create role desk_web login noinherit;
create role desk_service nologin noinherit;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
create table public.ticket (
    agent   text not null check (agent <> ''),
    number  integer not null,
    subject text,
    primary key (agent, number)
);
insert into public.ticket values ('ann', 1, 'lost'), ('ben', 1, 'found');
alter table public.ticket enable row level security;
alter table public.ticket force row level security;
grant select, insert (agent, number, subject), update (subject), delete on public.ticket to desk_web;
grant select, update (subject), delete on public.ticket to desk_service;
create policy own on public.ticket for all to desk_web
    using (agent = (select current_setting('desk.agent', true)))
    with check (agent = (select current_setting('desk.agent', true)));
create policy service on public.ticket for all to desk_service using (true) with check (true);
grant desk_service to desk_web;
