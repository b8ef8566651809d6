-- a domain's default acts as another person
-- turns red: expression_on_table
create schema hidden;
create function hidden.guess() returns text language plpgsql as $$
begin
    perform set_config('app.user_id', 'carol', true);
    return null;
end $$;
create domain hidden.words as text default hidden.guess();
alter table task add note hidden.words;
