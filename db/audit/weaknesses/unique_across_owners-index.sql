-- no two tasks of the same title, whosever they are
-- turns red: unique_across_owners probe
create unique index task_title_once on task (lower(title)) where not completed;
