-- a column compared with itself
-- turns red: policy_always_true drift probe
alter policy task_delete on task using (user_id = user_id);
