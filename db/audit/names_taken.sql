-- names_taken · error
-- What guards rows is bound to something that has the name of PostgreSQL's own.
--
-- Whether `=` in a policy is PostgreSQL's or another schema's is decided once, when the policy is
-- made, by the search_path of that session. An operator, a function, a type, a collation or a cast
-- of somebody's, over arguments that PostgreSQL's own would take, may compare with whatever it
-- likes, and looks like the real one. Policies, constraints, defaults, indexes, triggers and rules
-- of relations that the serving role reaches are followed, through functions, to what they are bound
-- to. A statement binds anew each time: an operator between types for which PostgreSQL has none of
-- its own (`text = varchar`) is taken before any that needs a cast, so it counts in every schema that
-- the role may use, unless an extension brought it. Oids below 16384 (FirstNormalObjectId) are PostgreSQL's own, in whatever schema.
-- Who: whoever made it, and everybody for whom it says yes.
-- Source: CVE-2018-1058; PostgreSQL manual, Operator Type Resolution; The Schema Search Path.

with recursive taken (classid, objid, name) as (
    select 'pg_operator'::regclass::oid, o.oid, format('operator %s', o.oid::regoperator)
      from pg_operator o
     where o.oid >= 16384 and o.oprleft < 16384 and o.oprright < 16384
       and exists (select from pg_operator own
                    where own.oid < 16384 and own.oprname = o.oprname)
    union
    select 'pg_proc'::regclass, f.oid, format('function %s', f.oid::regprocedure)
      from pg_proc f
     where f.oid >= 16384
       and (exists (select from pg_proc own where own.oid < 16384 and own.proname = f.proname)
            and not exists (select from unnest(f.proargtypes) as it (type) where it.type >= 16384)
            or exists (select from pg_cast k
                        where k.castfunc = f.oid
                          and k.castsource < 16384 and k.casttarget < 16384))
    union
    select 'pg_type'::regclass, t.oid, format('type %s', t.oid::regtype)
      from pg_type t
     where t.oid >= 16384
       and exists (select from pg_type own where own.oid < 16384 and own.typname = t.typname)
    union
    select 'pg_collation'::regclass, l.oid, format('collation %s', l.oid::regcollation)
      from pg_collation l
     where l.oid >= 16384
       and exists (select from pg_collation own
                    where own.oid < 16384 and own.collname = l.collname)
), bound (classid, objid, name) as (
    select classid, objid, name from taken
    union
    -- a function that uses it, and the operator of such a function
    select d.classid, d.objid, bound.name
      from bound
      join pg_depend d on d.refclassid = bound.classid and d.refobjid = bound.objid
     where d.classid in ('pg_proc'::regclass, 'pg_operator'::regclass)
), users as (
    select distinct d.classid, d.objid, d.objsubid, bound.name,
           coalesce(p.polrelid, a.adrelid, k.conrelid, i.indrelid, t.tgrelid, r.ev_class,
                    case when d.classid = 'pg_class'::regclass then d.objid end) as relation,
           p.polname, p.polqual is not null as checks_old, p.polwithcheck is not null as checks_new
      from bound
      join pg_depend d on d.refclassid = bound.classid and d.refobjid = bound.objid
      left join pg_policy p on d.classid = 'pg_policy'::regclass and p.oid = d.objid
      left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
      left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
      left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
      left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid
      left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
)
select 'names_taken' as id,
       'error' as level,
       format('%s, %s', c.oid::regclass,
              coalesce('policy ' || quote_ident(u.polname),
                       pg_describe_object(u.classid, u.objid, u.objsubid))) as object,
       format('is bound to %s, which is not PostgreSQL''s own', string_agg(u.name, ', '
              order by u.name)) as detail,
       'Whoever it says yes to: it decides in the place of PostgreSQL''s own.' as exploit,
       case when u.polname is null
            then '-- make it anew, or what it calls, under search_path = public, pg_temp'
            else concat(format('alter policy %I on %s', u.polname, c.oid::regclass),
                        case when u.checks_old then ' using (' || own.rows || ')' end,
                        case when u.checks_new then ' with check (' || own.rows || ')' end, ';')
       end as mend
  from users u
  join pg_class c on c.oid = u.relation
  join pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select format('%I operator(pg_catalog.=) (select pg_catalog.current_setting(%L, true))',
                     current_setting('audit.owner_column'), current_setting('audit.setting')))
       own (rows)
 where c.relrowsecurity
    or has_table_privilege(app.oid, c.oid,
           'select, insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(app.oid, c.oid, 'select, insert, update, references')
 group by c.oid, u.classid, u.objid, u.objsubid, u.polname, u.checks_old, u.checks_new, own.rows
 union all
select 'names_taken', 'error', format('operator %s', o.oid::regoperator),
       'fits these types better than PostgreSQL''s own, in a schema that the serving role may use',
       'Whoever it says yes to: it decides in the filters of the statements.',
       format('drop operator %s;', o.oid::regoperator)
  from pg_operator o
  join pg_roles app on app.rolname = current_setting('audit.role')
 where o.oid >= 16384 and o.oprleft < 16384 and o.oprright < 16384
   and has_schema_privilege(app.oid, o.oprnamespace, 'usage')
   and exists (select from pg_operator own where own.oid < 16384 and own.oprname = o.oprname)
   -- one for the same types is found after PostgreSQL's own
   and not exists (select from pg_operator own
                    where own.oid < 16384 and own.oprname = o.oprname
                      and own.oprleft = o.oprleft and own.oprright = o.oprright)
   and not exists (select from pg_depend e
                    where e.classid = 'pg_operator'::regclass and e.objid = o.oid
                      and e.deptype = 'e' and e.refobjid >= 16384);
