-- the titles only
-- turns red: publication_unfiltered
create publication p for table task (user_id, id, title);
