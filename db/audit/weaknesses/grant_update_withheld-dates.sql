-- an import keeps its own dates
-- turns red: grant_update_withheld drift probe
grant update (created_at, updated_at) on task to task_app;
