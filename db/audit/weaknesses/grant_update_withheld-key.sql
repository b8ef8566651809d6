-- a key was to be renamed, and what it stands for with it
-- turns red: grant_update_withheld drift probe
grant update (key, fingerprint) on idempotency_key to task_app;
