-- a new table, and no policy file for it yet
-- turns red: table_not_enabled drift
create table note (
    user_id text   not null check (user_id <> ''),
    id      bigint not null,
    primary key (user_id, id)
);
