-- it was put into an extension
-- turns red: function_definer_public
create function public.pl_titles() returns setof text language sql security definer
    set search_path = '' as 'select title from public.task';
alter extension plpgsql add function public.pl_titles();
