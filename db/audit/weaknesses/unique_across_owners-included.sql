-- user_id is in the index, but not in its key
-- turns red: unique_across_owners probe
create unique index task_title_once on task (title) include (user_id);
