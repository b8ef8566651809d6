-- role_member_of_predefined · error
-- The serving role is a member of a predefined role.
--
-- pg_read_all_data and pg_write_all_data reach every table without a grant that anybody could see;
-- pg_read_server_files, pg_write_server_files and pg_execute_server_program leave the database
-- altogether; pg_monitor shows the statements of others, values and all. None is needed to serve.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Predefined Roles.

with recursive reach (role, name, path, inherits, sets, first) as (
    select oid, rolname, rolname::text, true, true, null::oid
      from pg_catalog.pg_roles where rolname = current_setting('audit.role')
    union
    select m.roleid,
           held.rolname,
           format('%s -> %I', reach.path, held.rolname),
           reach.inherits
             and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, holder.rolinherit),
           reach.sets and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true),
           coalesce(reach.first, m.roleid)
      from reach
      join pg_catalog.pg_auth_members m on m.member = reach.role
      join pg_catalog.pg_roles holder on holder.oid = m.member
      join pg_catalog.pg_roles held on held.oid = m.roleid
     -- pg_monitor is a member of others itself; the first of them says enough.
     where reach.name !~ '^pg_'
)
select 'role_member_of_predefined' as id,
       'error' as level,
       reach.name::text as object,
       format('%s (%s)', reach.path,
              case when reach.inherits and reach.sets then 'inherited, and by SET ROLE'
                   when reach.inherits then 'inherited'
                   when reach.sets then 'by SET ROLE'
                   else 'by neither, but a role that administers it can change that' end) as detail,
       format('Whoever runs SQL as the serving role%s.',
              case when reach.inherits then '' else format(', after set role %I', reach.name) end)
         as exploit,
       format('revoke %s from %I;', reach.first::regrole,
              current_setting('audit.role')) as mend
  from reach
 where reach.name ~ '^pg_';
