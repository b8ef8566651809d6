-- grant_references · error
-- The serving role has REFERENCES on people's rows.
--
-- Foreign keys look past policies. Who may make one that points at a table learns, key by key,
-- which rows are there, and keeps others from deleting theirs.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Row Security Policies (referential integrity bypasses row security).

select 'grant_references' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has REFERENCES', g.grantee) as detail,
       'Whoever runs SQL as the serving role: a foreign key tells which hidden rows exist.'
         as exploit,
       format('revoke references on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from (select * from aclexplode(c.relacl)
               union all
               select (aclexplode(att.attacl)).*
                 from pg_catalog.pg_attribute att where att.attrelid = c.oid) a
        where a.privilege_type = 'REFERENCES'
          and a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where c.relkind in ('r', 'p')
   and c.oid >= 16384
   and (c.relrowsecurity
        or exists (select from pg_catalog.pg_attribute u
                    where u.attrelid = c.oid and not u.attisdropped
                      and u.attname = current_setting('audit.owner_column')));
