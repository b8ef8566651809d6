-- the same for all roles
-- turns red: setting_preset
alter role all set app.user_id = 'alice';
