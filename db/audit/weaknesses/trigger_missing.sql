-- it was in the way of a correction, and was not made again
-- turns red: trigger_missing drift
drop trigger task_touch on task;
