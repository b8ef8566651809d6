-- a collation takes two owners for one
-- turns red: policy_ignores_caller
-- As an ICU collation with deterministic = false is; not every server is built with ICU.
create collation folded from "C";
update pg_collation set collisdeterministic = false where oid = 'folded'::regcollation;
update pg_attribute set attcollation = 'folded'::regcollation
 where attrelid = 'task'::regclass and attname = 'user_id';
