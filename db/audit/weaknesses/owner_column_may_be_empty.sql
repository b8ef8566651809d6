-- the check was dropped for an import
-- turns red: owner_column_may_be_empty probe
alter table task drop constraint task_user_id_check;
