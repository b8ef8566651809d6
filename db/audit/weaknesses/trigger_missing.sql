-- it was in the way of a correction, and was not made again
-- turns red: trigger_missing
drop trigger task_touch on task;
