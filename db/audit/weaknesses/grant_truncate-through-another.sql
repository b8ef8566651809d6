-- not to task_app, but to what it is a member of
-- turns red: grant_truncate drift
create role helpers;
grant truncate on task to helpers;
grant helpers to task_app;
