-- a function that is somebody, whoever calls it
-- turns red: setting_preset drift
create function titles() returns setof text language sql stable
    set app.user_id = 'alice'
    as 'select title from task';
