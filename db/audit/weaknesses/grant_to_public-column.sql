-- one column, to everybody
-- turns red: grant_to_public drift
grant select (title) on task to public;
