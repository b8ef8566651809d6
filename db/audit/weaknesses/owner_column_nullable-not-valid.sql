-- not null was added without looking at the rows there are
-- turns red: owner_column_nullable probe
-- needs: PostgreSQL 18
alter table task drop constraint task_pkey;
alter table task alter user_id drop not null;
alter table task add constraint task_user_id_is_there not null user_id not valid;
