-- the same for the table
-- turns red: publication_unfiltered
create publication tasks for table task;
