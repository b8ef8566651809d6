-- transactional: false
drop index concurrently if exists task_user_id_uid;
drop index concurrently if exists task_user_id_seq_id;
