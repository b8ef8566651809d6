-- security definer, and no word about search_path
-- turns red: function_definer_search_path
create function task_count() returns bigint language sql security definer
    as 'select count(*) from task';
revoke execute on function task_count() from public;
