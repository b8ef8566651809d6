-- servers of its own, by a foreign data wrapper
-- turns red: grant_other_object
create foreign data wrapper nothing;
grant usage on foreign data wrapper nothing to task_app;
