-- whoever is signed in may delete
-- turns red: policy_always_true drift probe
alter policy task_delete on task using ((select current_setting('app.user_id', true)) <> '');
