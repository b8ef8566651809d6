-- the trigger went with its function, and nothing is left that could be missed
-- turns red: drift
drop function task_touch() cascade;
