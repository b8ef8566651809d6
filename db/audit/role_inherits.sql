-- role_inherits · warn
-- The serving role uses at once whatever it is made a member of.
--
-- With INHERIT a single careless `grant some_role` to it gives the server that role's privileges,
-- and the policies written for that role, without a SET ROLE that anybody could see.
-- Source: PostgreSQL manual, Role Membership; CREATE POLICY (policies apply to members who
-- inherit).

select 'role_inherits' as id,
       'warn' as level,
       rolname::text as object,
       'has INHERIT' as detail,
       'Nobody yet; the next grant of a role to it takes effect in every statement.' as exploit,
       format('alter role %I noinherit;', rolname) as mend
  from pg_catalog.pg_roles
 where rolname = current_setting('audit.role') and rolinherit;
