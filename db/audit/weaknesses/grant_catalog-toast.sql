-- the long descriptions, where PostgreSQL keeps them
-- turns red: grant_catalog
grant usage on schema pg_toast to task_app;
do $$ begin
    execute format('grant select on %s to task_app',
                   (select reltoastrelid::regclass from pg_class where oid = 'task'::regclass));
end $$;
