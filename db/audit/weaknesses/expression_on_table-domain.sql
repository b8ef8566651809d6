-- the check of a column's domain does it
-- turns red: expression_on_table
create domain title as text check (pg_notify('tasks', value) is not null);
alter table task alter title type title;
