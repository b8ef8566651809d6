-- what is deleted is kept, in another schema
-- turns red: rule_on_table
create schema aside authorization task_owner;
create table aside.log (title text);
alter table aside.log owner to task_owner;
create rule keep_a_copy as on delete to task do also insert into aside.log values (old.title);
