-- another database, to make things in
-- turns red: grant_other_object
grant create on database postgres to task_app;
