-- view_definer · error
-- The serving role reads a view with its owner's eyes.
--
-- Unless it is made `with (security_invoker = true)`, a view asks the privileges and policies of
-- its owner, whoever reads it. If the owner bypasses row security (on Neon it does) the view shows
-- all rows of a guarded table; over a copy, a foreign table or a sequence it shows what nobody
-- granted. So every such view that the role may use counts, in whatever schema, and every view of
-- PostgreSQL's own or of an extension's that reads a relation which is neither's. Views over views
-- are followed to say what is read.
-- Who: anybody served, and whoever else may read the view.
-- Source: PostgreSQL manual, CREATE VIEW (security_invoker); Rules and Privileges.

with recursive grantees (role, name) as (
    select 0::oid, 'public'
     union all
    select r.oid, quote_ident(r.rolname)
      from pg_catalog.pg_roles app
      join pg_catalog.pg_roles r
           on r.oid = app.oid
           or not app.rolsuper and not r.rolsuper and pg_has_role(app.oid, r.oid, 'member')
     where app.rolname = current_setting('audit.role')
), reads (view, relation) as (
    select r.ev_class, d.refobjid
      from pg_catalog.pg_rewrite r
      join pg_catalog.pg_depend d
           on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
), below (view, relation) as (
    select view, relation from reads
     union
    select below.view, reads.relation from below join reads on reads.view = below.relation
)
select 'view_definer' as id,
       'error' as level,
       v.oid::regclass::text as object,
       concat_ws(' ', 'reads', found.relations, 'as its owner,', v.relowner::regrole) as detail,
       'Anybody served: select from the view.' as exploit,
       case when v.oid < 16384 or member.objid is not null
            then format('revoke all on %s from %s;', v.oid::regclass, granted."to")
            else format('alter view %s set (security_invoker = true);', v.oid::regclass)
       end as mend
  from pg_catalog.pg_class v
  left join pg_catalog.pg_depend member
       on member.classid = 'pg_class'::regclass and member.objid = v.oid and member.deptype = 'e'
 cross join lateral (
       select string_agg(distinct t.oid::regclass::text, ', ') filter (where t.relkind <> 'v'),
              count(*) filter (where t.oid >= 16384 and t.relkind <> 'v')
         from below join pg_catalog.pg_class t on t.oid = below.relation
        where below.view = v.oid) found (relations, not_its_own)
 cross join lateral (
       select string_agg(distinct grantees.name, ', ')
         from (select grantee from aclexplode(v.relacl)
               union all
               select x.grantee
                 from pg_catalog.pg_attribute att
                cross join lateral aclexplode(att.attacl) x
                where att.attrelid = v.oid and att.attacl is not null) a
         join grantees on grantees.role = a.grantee
        where a.grantee <> v.relowner) granted ("to")
 where v.relkind = 'v'
   and (v.oid >= 16384 and member.objid is null or found.not_its_own > 0)
   and granted."to" is not null
   and not exists (select from pg_options_to_table(v.reloptions) o
                    where o.option_name = 'security_invoker' and o.option_value::boolean);
