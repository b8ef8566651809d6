-- whoever changes the schema runs it
-- turns red: event_trigger drift
create function tidy() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger tidy on ddl_command_end execute function tidy();
