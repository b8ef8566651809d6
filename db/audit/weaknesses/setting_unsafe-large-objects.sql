-- nobody asks who may read a large object
-- turns red: setting_unsafe
alter role all set lo_compat_privileges = on;
