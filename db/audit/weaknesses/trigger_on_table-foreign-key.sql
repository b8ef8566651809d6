-- a foreign key that is checked no more
-- turns red: trigger_on_table
alter table task add column parent bigint;
create index on task (user_id, parent);
alter table task add foreign key (user_id, parent) references task (user_id, id);
do $$
declare
    it record;
begin
    for it in select tgname from pg_trigger where tgrelid = 'task'::regclass and tgisinternal loop
        execute format('alter table task disable trigger %I', it.tgname);
    end loop;
end
$$;
