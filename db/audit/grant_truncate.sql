-- grant_truncate · error
-- The serving role has TRUNCATE on people's rows.
--
-- TRUNCATE removes the rows of everybody. It is a privilege on the table, and no policy governs
-- it: neither RLS nor FORCE is asked.
-- Who: whoever can run SQL as the serving role.
-- Source: PostgreSQL manual, Row Security Policies ("TRUNCATE and REFERENCES are not subject").

select 'grant_truncate' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s has TRUNCATE', g.grantee) as detail,
       'Whoever runs SQL as the serving role: truncate, and everybody''s rows are gone.' as exploit,
       format('revoke truncate on %s from %s;', c.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from aclexplode(c.relacl) a
        where a.privilege_type = 'TRUNCATE'
          and a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where c.relkind in ('r', 'p')
   and c.oid >= 16384
   and (c.relrowsecurity
        or exists (select from pg_catalog.pg_attribute u
                    where u.attrelid = c.oid and not u.attisdropped
                      and u.attname = current_setting('audit.owner_column')));
