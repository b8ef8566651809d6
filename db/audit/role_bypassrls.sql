-- role_bypassrls · error
-- The serving role bypasses row security.
--
-- A role with BYPASSRLS sees and changes every row, whatever the policies say; nothing fails and
-- nothing is logged. On Neon every role made in the Console, by the CLI or by the API has it,
-- neondb_owner first of all; a role made by SQL has not.
-- Source: PostgreSQL manual, section 5.9 (Row Security Policies).

select 'role_bypassrls' as id,
       'error' as level,
       rolname::text as object,
       'has BYPASSRLS' as detail,
       'Anybody served by this role, as soon as one statement forgets its filter.' as exploit,
       format('alter role %I nobypassrls;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolbypassrls;
