-- task_app was made in Neon's Console
-- turns red: role_bypassrls drift probe
alter role task_app bypassrls;
