-- subscription_in_database · error
-- A subscription writes into this database past the policies.
--
-- Rows that come by logical replication are written by the subscription's owner, whoever they
-- belong to, and triggers of the table do not fire for them. Where from is not shown.
-- Who: whoever writes at the publisher.
-- Source: PostgreSQL manual, Logical Replication (Security).

select 'subscription_in_database' as id,
       'error' as level,
       format('subscription %I', s.subname) as object,
       format('writes as %s%s', s.subowner::regrole,
              case when not s.subenabled then ', when it is enabled' end) as detail,
       'Whoever writes at the publisher: rows of anybody''s.' as exploit,
       format('-- drop subscription %I;', s.subname) as mend
  from pg_catalog.pg_subscription s
  join pg_catalog.pg_database d on d.oid = s.subdbid and d.datname = current_database();
