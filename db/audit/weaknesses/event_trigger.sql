-- whoever changes the schema runs it
-- turns red: event_trigger
create function tidy() returns event_trigger language plpgsql as $$ begin end $$;
revoke execute on function tidy() from public;
create event trigger tidy on ddl_command_end execute function tidy();
