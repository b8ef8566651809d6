-- granted to the serving role, for a page of statistics
-- turns red: function_definer_public drift
create function task_count() returns bigint language sql security definer
    set search_path = public, pg_temp
    as 'select count(*) from task';
revoke execute on function task_count() from public;
grant execute on function task_count() to task_app;
