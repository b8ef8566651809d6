-- matview_reachable · error
-- A materialized view keeps a copy of guarded rows, and the serving role reads it.
--
-- A materialized view is filled as its owner sees the table, and knows no policies: everybody who
-- may read it reads all of it. Views in between are followed.
-- Who: anybody served.
-- Source: PostgreSQL manual, CREATE MATERIALIZED VIEW; CREATE POLICY (tables only).

with recursive below (view, relation) as (
    select r.ev_class, d.refobjid
      from pg_catalog.pg_rewrite r
      join pg_catalog.pg_depend d
           on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
    union
    select below.view, d.refobjid
      from below
      join pg_catalog.pg_class c on c.oid = below.relation and c.relkind in ('v', 'm')
      join pg_catalog.pg_rewrite r on r.ev_class = c.oid
      join pg_catalog.pg_depend d
           on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
)
select 'matview_reachable' as id,
       'error' as level,
       m.oid::regclass::text as object,
       format('%s may read it; it is a copy of %s', g.grantee,
              string_agg(distinct t.oid::regclass::text, ', ')) as detail,
       'Anybody served: select from the materialized view.' as exploit,
       format('revoke all on %s from %s;', m.oid::regclass, g.grantee) as mend
  from below
  join pg_catalog.pg_class m on m.oid = below.view and m.relkind = 'm'
  join pg_catalog.pg_class t on t.oid = below.relation and t.relrowsecurity
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from (select grantee from aclexplode(m.relacl)
               union
               select (aclexplode(att.attacl)).grantee
                 from pg_catalog.pg_attribute att where att.attrelid = m.oid) a
        where a.grantee <> m.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))) g (grantee)
 where has_schema_privilege(app.oid, m.relnamespace, 'usage')
 group by m.oid, g.grantee;
