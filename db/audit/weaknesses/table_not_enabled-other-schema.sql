-- a table of another service: its policy was written, and never enabled
-- turns red: table_not_enabled grant_other_object provision drift
create schema billing;
create table billing.invoice (
    user_id text   primary key check (user_id <> ''),
    amount  bigint not null
);
grant usage on schema billing to task_app;
grant select on billing.invoice to task_app;
create policy invoice_select on billing.invoice for select to task_app
    using (user_id = (select current_setting('app.user_id', true)));
