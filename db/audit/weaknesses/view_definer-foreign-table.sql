-- a view of a file
-- turns red: view_definer grant_other_object drift
-- needs: extension file_fdw
create schema stash;
create extension file_fdw;
create server files foreign data wrapper file_fdw;
create foreign table stash.copy (title text) server files options (filename '/dev/null');
create view stash.shown as select title from stash.copy;
grant usage on schema stash to task_app;
grant select on stash.shown to task_app;
