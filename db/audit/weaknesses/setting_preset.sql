-- a default, so that the tests need not say who they are
-- turns red: setting_preset drift
alter role task_app set app.user_id = 'alice';
