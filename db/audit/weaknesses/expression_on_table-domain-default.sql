-- a domain's default does what its maker likes in everybody's inserts
-- turns red: expression_on_table
create schema hidden;
create function hidden.guess() returns text language plpgsql as $$
begin
    perform pg_notify('inserts', current_setting('app.user_id', true));
    return null;
end $$;
create domain hidden.words as text default hidden.guess();
alter table task add note hidden.words;
