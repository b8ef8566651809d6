-- role_member_of_bypassing · error
-- The serving role is a member of a role that no policy binds.
--
-- SUPERUSER and BYPASSRLS are not inherited, but one SET ROLE along the path puts them in force,
-- and then every row is there to read and to change.
-- Who: whoever can run SQL as the serving role. On Neon, neondb_owner and neon_superuser are such
-- roles.
-- Source: PostgreSQL manual, Role Membership (attributes are never inherited; SET ROLE); GRANT.

with recursive reach (role, path, inherits, sets, first) as (
    select oid, rolname::text, true, true, null::oid
      from pg_catalog.pg_roles where rolname = current_setting('audit.role')
    union
    select m.roleid,
           format('%s -> %I', reach.path, held.rolname),
           reach.inherits
             and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, holder.rolinherit),
           reach.sets and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true),
           coalesce(reach.first, m.roleid)
      from reach
      join pg_catalog.pg_auth_members m on m.member = reach.role
      join pg_catalog.pg_roles holder on holder.oid = m.member
      join pg_catalog.pg_roles held on held.oid = m.roleid
)
select 'role_member_of_bypassing' as id,
       'error' as level,
       held.rolname::text as object,
       format('%s (%s), which has %s', reach.path,
              case when reach.inherits and reach.sets then 'inherited, and by SET ROLE'
                   when reach.inherits then 'inherited'
                   when reach.sets then 'by SET ROLE'
                   else 'by neither, but a role that administers it can change that' end,
              case when held.rolsuper then 'SUPERUSER' else 'BYPASSRLS' end) as detail,
       format('Whoever runs SQL as the serving role: set role %I; every row.', held.rolname)
         as exploit,
       format('revoke %s from %I;', reach.first::regrole,
              current_setting('audit.role')) as mend
  from reach
  join pg_catalog.pg_roles held on held.oid = reach.role
 where reach.first is not null
   and (held.rolsuper or held.rolbypassrls);
