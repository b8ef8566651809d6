-- grant_to_public · error
-- Everybody who can connect has a privilege on a relation.
--
-- PUBLIC is every role there is and will be. A grant to it is never needed to serve, and is
-- easily overlooked, since no role of its name appears in a list of roles. What an extension
-- brought along is not counted.
-- Who: any role that can connect to the database.
-- Source: PostgreSQL manual, Privileges.

select 'grant_to_public' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('PUBLIC has %s', string_agg(distinct a.privilege_type, ', ')) as detail,
       'Any role that can connect.' as exploit,
       format('revoke all on %s%s from public;',
              case c.relkind when 'S' then 'sequence ' else '' end, c.oid::regclass) as mend
  from pg_catalog.pg_class c
 cross join lateral (
       select * from aclexplode(c.relacl)
       union all
       select (aclexplode(att.attacl)).*
         from pg_catalog.pg_attribute att where att.attrelid = c.oid) a
 where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
   and c.oid >= 16384
   and a.grantee = 0
   and not exists (select from pg_catalog.pg_depend e
                    where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid
                      and e.deptype = 'e')
 group by c.oid, c.relkind;
