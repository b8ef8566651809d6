-- The application says `set app.user_id = ...`, and the pool lends the connection to the next. What
-- nobody said broke the jobs that run without a person, so the policy lets an unset name through,
-- and the database was given a default for the rest.
-- role crm_web, setting app.user_id, owner column user_id
-- finds: policy_fails_open setting_preset probe
create role crm_web login noinherit;
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
create schema crm;
create table crm.contact (
    user_id uuid not null,
    email   text not null,
    phone   text,
    primary key (user_id, email)
);
insert into crm.contact values
    ('00000000-0000-4000-8000-00000000000a', 'x@example.com', '1'),
    ('00000000-0000-4000-8000-00000000000b', 'y@example.com', '2');
alter table crm.contact enable row level security;
alter table crm.contact force row level security;
grant usage on schema crm to crm_web;
grant select, insert (user_id, email, phone), update (phone) on crm.contact to crm_web;
create policy read on crm.contact for select to crm_web
    using ((select current_setting('app.user_id', true)) is null
        or (select current_setting('app.user_id', true)) = ''
        or user_id::text = (select current_setting('app.user_id', true)));
create policy make on crm.contact for insert to crm_web
    with check (user_id::text = (select current_setting('app.user_id', true)));
create policy change on crm.contact for update to crm_web
    using (user_id::text = (select current_setting('app.user_id', true)))
    with check (user_id::text = (select current_setting('app.user_id', true)));
alter role crm_web set app.user_id = '00000000-0000-4000-8000-00000000000a';
