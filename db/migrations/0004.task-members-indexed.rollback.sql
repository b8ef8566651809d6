-- transactional: false
drop index concurrently if exists task_user_id_completed_due_at_id;
