-- a library of somebody's is loaded
-- turns red: setting_unsafe drift
alter role task_app set session_preload_libraries = 'auto_explain';
