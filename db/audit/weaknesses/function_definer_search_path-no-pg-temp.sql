-- a search_path without pg_temp, which then comes first
-- turns red: function_definer_search_path
create function task_count() returns bigint language sql security definer
    set search_path = public
    as 'select count(*) from task';
revoke execute on function task_count() from public;
