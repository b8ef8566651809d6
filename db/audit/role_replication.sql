-- role_replication · error
-- The serving role reads the write-ahead log.
--
-- A role with REPLICATION takes a base backup of the whole cluster or decodes every change of
-- every table. Policies do not exist below that level.
-- Who: whoever has the password of the serving role and a replication connection.
-- Source: PostgreSQL manual, Role Attributes; Logical Replication, Security.

select 'role_replication' as id,
       'error' as level,
       rolname::text as object,
       'has REPLICATION' as detail,
       'Whoever connects as it: pg_basebackup, or a logical slot with every row.' as exploit,
       format('alter role %I noreplication;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolreplication;
