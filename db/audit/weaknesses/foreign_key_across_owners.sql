-- a task may wait for another, whosever it is
-- turns red: foreign_key_across_owners
alter table task add awaits_user text, add awaits_id bigint,
    add foreign key (awaits_user, awaits_id) references task (user_id, id);
