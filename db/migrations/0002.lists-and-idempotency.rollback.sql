drop table idempotency_key;
create index task_user_id_completed_id on task (user_id, completed, id);
drop index task_user_id_completed_created_at_id;
drop index task_user_id_created_at_id;
