-- a line in postgresql.conf, which every session begins with
-- turns red: setting_preset
select set_config('app.user_id', 'alice', true);
