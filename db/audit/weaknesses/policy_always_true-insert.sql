-- anybody may insert, for anybody
-- turns red: policy_always_true drift probe
alter policy task_insert on task with check (true);
