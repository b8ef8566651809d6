-- attachments point at a task, and say nothing of a person
-- turns red: foreign_key_across_owners unique_across_owners drift
alter table task add constraint task_id_key unique (id);
create table attachment (
    id      bigint primary key,
    task_id bigint references task (id) on delete cascade
);
