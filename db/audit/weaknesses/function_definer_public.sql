-- new functions are everybody's to call
-- turns red: function_definer_public drift
create function task_count() returns bigint language sql security definer
    set search_path = public, pg_temp
    as 'select count(*) from task';
