-- the key became the identity alone
-- turns red: unique_across_owners probe
alter table task drop constraint task_pkey, add constraint task_pkey primary key (id);
