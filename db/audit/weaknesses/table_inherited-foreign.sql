-- some rows are kept on another server
-- turns red: table_inherited probe
-- needs: extension file_fdw
create extension file_fdw;
create server files foreign data wrapper file_fdw;
create foreign table task_elsewhere () inherits (task)
    server files options (filename '/dev/null');
