-- matview_reachable · error
-- The serving role reads a materialized view, which knows no policies.
--
-- A materialized view is a copy, filled as its owner sees the rows, by functions that its owner may
-- execute; everybody who may read it reads all of it. What it was made from does not matter: a copy
-- of a copy, a function and a foreign table leave no trace of a guarded table.
-- Who: anybody served.
-- Source: PostgreSQL manual, CREATE MATERIALIZED VIEW; CREATE POLICY (tables only).

select 'matview_reachable' as id,
       'error' as level,
       m.oid::regclass::text as object,
       format('%s may read it; it is a copy of %s', g.grantee,
              coalesce((select string_agg(distinct d.refobjid::regclass::text, ', ')
                          from pg_catalog.pg_rewrite r
                          join pg_catalog.pg_depend d
                               on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                              and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
                         where r.ev_class = m.oid), 'what a query returned')) as detail,
       'Anybody served: select from the materialized view.' as exploit,
       format('revoke all on %s from %s;', m.oid::regclass, g.grantee) as mend
  from pg_catalog.pg_class m
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from (select grantee from aclexplode(m.relacl)
               union
               select (aclexplode(att.attacl)).grantee
                 from pg_catalog.pg_attribute att where att.attrelid = m.oid) a
        where a.grantee <> m.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where m.relkind = 'm';
