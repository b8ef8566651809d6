-- role_member_of_owner · error
-- The serving role is a member of an owner.
--
-- Who is a member of an owner, directly or through other roles, can do what the owner does:
-- disable row security, drop policies. NOINHERIT only asks for a SET ROLE first. Before
-- PostgreSQL 16 the member's INHERIT decides; since then each membership has INHERIT and SET of
-- its own.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Role Membership; GRANT.

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
), owners (role) as (
    select refobjid from pg_catalog.pg_shdepend
     where deptype = 'o' and dbid in (0, (select oid from pg_catalog.pg_database
                                           where datname = current_database()))
       and classid not in ('pg_user_mapping'::regclass, 'pg_default_acl'::regclass)
       and (classid <> 'pg_database'::regclass
            or objid = (select oid from pg_catalog.pg_database
                         where datname = current_database()))
)
select 'role_member_of_owner' as id,
       'error' as level,
       reach.role::regrole::text as object,
       format('%s (%s)', reach.path,
              case when reach.inherits and reach.sets then 'inherited, and by SET ROLE'
                   when reach.inherits then 'inherited'
                   when reach.sets then 'by SET ROLE'
                   else 'by neither, but a role that administers it can change that' end) as detail,
       format('Whoever runs SQL as the serving role%s: alter table ... disable row level security.',
              case when reach.inherits then '' else format(', after set role %s',
                                                           reach.role::regrole) end) as exploit,
       format('revoke %s from %I;', reach.first::regrole,
              current_setting('audit.role')) as mend
  from reach
 where reach.first is not null
   and reach.role in (select role from owners);
