-- every title that is written is told to whoever listens
-- turns red: expression_on_table
alter table task add check (pg_notify('tasks', title) is not null) not valid;
