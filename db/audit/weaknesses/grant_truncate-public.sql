-- to everybody, which is task_app too
-- turns red: grant_truncate grant_to_public drift probe
grant truncate on task to public;
