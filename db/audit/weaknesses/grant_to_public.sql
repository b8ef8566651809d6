-- a tutorial's first line
-- turns red: grant_to_public drift
grant select on task to public;
