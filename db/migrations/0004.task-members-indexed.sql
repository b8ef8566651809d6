-- The checks of 0003 hold for every row, and an index serves the open tasks by due date.
--
-- Neither keeps anybody from reading or writing meanwhile, for however long it takes. After an
-- interruption all of it is done again: what is proven is proven at once, and an index that was
-- left half made is dropped.
--
-- depends: 0003.task-members
-- transactional: false

alter table task
    validate constraint task_priority_check,
    validate constraint task_tags_check,
    validate constraint task_due_date_check,
    validate constraint task_due_time_check,
    validate constraint task_time_zone_check,
    validate constraint task_repeat_check,
    validate constraint task_repeat_until_check,
    validate constraint task_repeat_from_check;

drop index concurrently if exists task_user_id_completed_due_at_id;

create index concurrently task_user_id_completed_due_at_id
    on task (user_id, completed, due_at, id);
