-- a filter that lets every row through
-- turns red: publication_unfiltered
create publication p for table task where (user_id <> '');
