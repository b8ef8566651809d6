-- a copy of every new task, kept by a rule
-- turns red: rule_on_table drift probe
create table task_log (title text);
create rule keep_a_copy as on insert to task do also
    insert into task_log (title) values (new.title);
