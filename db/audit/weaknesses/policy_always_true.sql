-- "using (true)" until the real condition is written
-- turns red: policy_always_true drift probe
alter policy task_select on task using (true);
