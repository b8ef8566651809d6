-- an archive that inherits the columns, not the policies
-- turns red: partition_reachable drift
create table task_archive (primary key (user_id, id)) inherits (task);
grant select on task_archive to task_app;
