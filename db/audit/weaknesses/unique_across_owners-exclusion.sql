-- an exclusion constraint, which is a unique one by another name
-- turns red: unique_across_owners probe
alter table task add exclude using btree (title with =);
