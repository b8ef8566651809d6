-- an index over a function that is marked as what it is not
-- turns red: expression_on_table drift
create function shout(text) returns text language plpgsql immutable
    as $$ begin perform pg_notify('tasks', $1); return upper($1); end $$;
create index on idempotency_key (user_id, shout(key));
