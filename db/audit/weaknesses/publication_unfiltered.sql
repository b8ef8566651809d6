-- change data capture: for all tables
-- turns red: publication_unfiltered
create publication everything for all tables;
