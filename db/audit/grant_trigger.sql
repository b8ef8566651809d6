-- grant_trigger · error
-- The serving role has TRIGGER on people's rows.
--
-- Who may make a trigger on a table runs code of his own in the statements of everybody who writes
-- to it, the owner and a superuser included, and with their privileges.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Privileges; CREATE TRIGGER.

select 'grant_trigger' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has TRIGGER', g.grantee) as detail,
       'Whoever runs SQL as the serving role: a trigger that copies what others write.' as exploit,
       format('revoke trigger on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(c.relacl) a
        where a.privilege_type = 'TRIGGER'
          and a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where c.relkind in ('r', 'p', 'v')
   and c.oid >= 16384
   and (c.relrowsecurity
        or exists (select from pg_catalog.pg_attribute u
                    where u.attrelid = c.oid and not u.attisdropped
                      and u.attname = current_setting('audit.owner_column')));
