-- The serving role, and a clean slate.
--
-- task_app is the only role the server connects as. It is no superuser, does not
-- bypass row security, creates nothing, inherits nothing and owns nothing.
-- A role of that name with more power than this is refused, not mended: somebody
-- gave it for a reason.

do $$
declare
    power text;
begin
    begin
        create role task_app login nosuperuser nobypassrls nocreatedb nocreaterole
            noinherit noreplication;
    exception when duplicate_object or unique_violation then
        null;
    end;
    select concat_ws(' ',
               case when rolsuper then 'superuser' end,
               case when rolbypassrls then 'bypassrls' end,
               case when rolcreatedb then 'createdb' end,
               case when rolcreaterole then 'createrole' end,
               case when rolreplication then 'replication' end,
               case when rolinherit then 'inherit' end)
      into power from pg_catalog.pg_roles where rolname = 'task_app';
    if power <> '' then
        raise exception 'role task_app has %, which it must not have; take it away: '
            'alter role task_app no%', upper(replace(power, ' ', ', ')),
            replace(power, ' ', ' no') using errcode = 'invalid_role_specification';
    end if;
end
$$;

-- The password comes as a setting of this transaction (TASK_APP_PASSWORD), so it
-- stands in no file and in no statement that the server logs.
do $$
begin
    if current_setting('app.task_app_password', true) <> '' then
        execute format('alter role task_app password %L',
                       current_setting('app.task_app_password'));
    end if;
end
$$;

-- Limits belong to the role, not to the connection: they hold behind a pooler too.
alter role task_app set statement_timeout = '5s';
alter role task_app set lock_timeout = '2s';
alter role task_app set idle_in_transaction_session_timeout = '10s';
-- The operator's own (STATEMENT_TIMEOUT and the others) come as settings of this transaction.
do $$
declare
    name text;
begin
    foreach name in array array['statement_timeout', 'lock_timeout',
                                'idle_in_transaction_session_timeout']
    loop
        if current_setting('app.' || name, true) <> '' then
            execute format('alter role task_app set %I = %L', name,
                           current_setting('app.' || name));
        end if;
    end loop;
end
$$;
-- What runs for nobody is ended: the server gave the request up, or has died.
alter role task_app set client_connection_check_interval = '1s';
-- A statement is planned once, not again for each who has many tasks: of `limit $n` a plan
-- for everybody expects a tenth of them, so it would look too dear ever to be kept.
alter role task_app set plan_cache_mode = force_generic_plan;
-- Temporary tables last: none can stand in front of a real one.
alter role task_app set search_path = public, pg_temp;

-- What somebody set for the role in this database alone would win over all of these.
do $$
begin
    execute format('alter role task_app in database %I reset all', current_database());
end
$$;

-- A clean slate: every policy and every grant on what this schema's owner holds is
-- taken away, and what follows says afresh who may do what. All of it happens in one
-- transaction, so nobody ever meets the half of it.
-- What an extension brought along is the extension's business.
do $$
declare
    it record;
begin
    for it in
        select pol.polname as policy, pol.polrelid::regclass as relation
          from pg_catalog.pg_policy pol
          join pg_catalog.pg_class c on c.oid = pol.polrelid
         where c.relnamespace = 'public'::regnamespace
           and pg_has_role(c.relowner, 'usage')
    loop
        execute format('drop policy %I on %s', it.policy, it.relation);
    end loop;

    for it in
        select distinct c.oid::regclass as relation, a.grantee,
               case c.relkind when 'S' then 'sequence' else 'table' end as kind
          from pg_catalog.pg_class c
          left join pg_catalog.pg_attribute att on att.attrelid = c.oid
         cross join lateral (
               select grantee from aclexplode(c.relacl)
               union select grantee from aclexplode(att.attacl)) a
         where c.relnamespace = 'public'::regnamespace
           and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
           and a.grantee <> c.relowner
           and pg_has_role(c.relowner, 'usage')
           and not exists (select from pg_catalog.pg_depend d
                            where d.classid = 'pg_catalog.pg_class'::regclass
                              and d.objid = c.oid and d.deptype = 'e')
    loop
        execute format('revoke all on %s %s from %s cascade', it.kind, it.relation,
                       case it.grantee when 0 then 'public' else it.grantee::regrole::text end);
    end loop;

    execute format('revoke create, temporary on database %I from public, task_app',
                   current_database());
end
$$;

revoke all on schema public from task_app;
revoke create on schema public from public;
grant usage on schema public to task_app;
