-- a copy that has the owners is published
-- turns red: publication_unfiltered
create schema stash;
create table stash.copy as select user_id, title from task;
create publication p for table stash.copy;
