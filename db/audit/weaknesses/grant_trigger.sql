-- a tool that installs its own triggers
-- turns red: grant_trigger drift
grant trigger on task to task_app;
