-- Indexes serve a person's changes in their order, and the task of a uid, which is unique for a
-- person: what one person has says nothing to another.
--
-- As in 0004, nobody is kept from reading or writing, and all of it can be done again.
--
-- depends: 0005.sync
-- transactional: false

drop index concurrently if exists task_user_id_seq_id;

create index concurrently task_user_id_seq_id on task (user_id, seq, id);

drop index concurrently if exists task_user_id_uid;

create unique index concurrently task_user_id_uid on task (user_id, uid) where uid is not null;
