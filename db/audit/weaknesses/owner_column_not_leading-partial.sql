-- only open tasks are listed, so only open tasks are indexed
-- turns red: owner_column_not_leading
drop index task_user_id_created_at_id, task_user_id_completed_created_at_id,
    task_user_id_completed_due_at_id, task_user_id_seq_id;
create index on task (user_id) where not completed;
alter table task drop constraint task_pkey, add primary key (id, user_id);
