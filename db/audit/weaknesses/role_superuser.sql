-- "permission denied", and the quickest way round it
-- turns red: role_superuser drift probe
alter role task_app superuser;
