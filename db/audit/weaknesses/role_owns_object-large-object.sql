-- a large object
-- turns red: role_owns_object
select lo_create(4711);
alter large object 4711 owner to task_app;
