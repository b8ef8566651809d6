-- a password for everybody
-- turns red: grant_other_object
create foreign data wrapper nothing;
create server elsewhere foreign data wrapper nothing;
create user mapping for public server elsewhere options (password 'secret');
