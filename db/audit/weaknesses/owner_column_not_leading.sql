-- the key was turned round "because id is more selective"
-- turns red: owner_column_not_leading
drop index task_user_id_created_at_id, task_user_id_completed_created_at_id,
    task_user_id_completed_due_at_id, task_user_id_seq_id;
alter table task drop constraint task_pkey, add primary key (id, user_id);
