-- everybody may change whose it is
-- turns red: grant_update_withheld grant_to_public drift probe
grant update on task to public;
