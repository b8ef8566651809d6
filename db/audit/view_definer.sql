-- view_definer · error
-- A view reads a guarded table with its owner's eyes.
--
-- Unless it is made `with (security_invoker = true)`, a view asks the privileges and policies of
-- its owner, whoever reads it. If the owner bypasses row security (on Neon it does) the view
-- shows all rows. Views over views are followed.
-- Who: anybody served, and whoever else may read the view.
-- Source: PostgreSQL manual, CREATE VIEW (security_invoker); Rules and Privileges.

with recursive below (view, relation) as (
    select r.ev_class, d.refobjid
      from pg_catalog.pg_rewrite r
      join pg_catalog.pg_depend d
           on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
    union
    select below.view, d.refobjid
      from below
      join pg_catalog.pg_class c on c.oid = below.relation and c.relkind = 'v'
      join pg_catalog.pg_rewrite r on r.ev_class = c.oid
      join pg_catalog.pg_depend d
           on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> r.ev_class
)
select 'view_definer' as id,
       'error' as level,
       v.oid::regclass::text as object,
       format('reads %s as its owner, %s', string_agg(distinct t.oid::regclass::text, ', '),
              v.relowner::regrole) as detail,
       'Anybody served: select from the view.' as exploit,
       format('alter view %s set (security_invoker = true);', v.oid::regclass) as mend
  from below
  join pg_catalog.pg_class v on v.oid = below.view and v.relkind = 'v'
  join pg_catalog.pg_class t on t.oid = below.relation and t.relrowsecurity
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 where has_schema_privilege(app.oid, v.relnamespace, 'usage')
   and (has_table_privilege(app.oid, v.oid, 'select, insert, update, delete')
        or has_any_column_privilege(app.oid, v.oid, 'select, insert, update'))
   and not exists (select from pg_options_to_table(v.reloptions) o
                    where o.option_name = 'security_invoker' and o.option_value::boolean)
 group by v.oid, v.relowner;
