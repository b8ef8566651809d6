-- a large object, filled with titles
-- turns red: grant_other_object
select lo_from_bytea(4711, convert_to((select concat(string_agg(title, ',')) from task), 'utf8'));
grant select on large object 4711 to task_app;
