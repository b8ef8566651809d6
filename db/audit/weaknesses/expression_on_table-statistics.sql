-- a statistic over it, when the table is analyzed
-- turns red: expression_on_table drift
create function shout(text) returns text language plpgsql immutable
    as $$ begin perform pg_notify('tasks', $1); return upper($1); end $$;
create statistics shouted on (shout(title)) from task;
