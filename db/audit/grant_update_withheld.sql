-- grant_update_withheld · error
-- The serving role may change what is not a user's to change.
--
-- Whoever may update the owner column gives rows away, and takes them as soon as one `with check`
-- is weak. The identity, which is every column of the primary key, stays what it is; the dates
-- and the version are the database's to give.
-- Who: whoever can run SQL as the serving role, or a route that passes a member on unseen.
-- Source: PostgreSQL manual, Privileges (column privileges); GRANT.

with withheld (relation, attnum) as (
    select att.attrelid, att.attnum
      from pg_catalog.pg_attribute att
     where att.attname in (current_setting('audit.owner_column'), 'id', 'created_at', 'updated_at',
                           'version')
        or exists (select from pg_catalog.pg_index x
                    where x.indrelid = att.attrelid and x.indisprimary
                      and att.attnum = any (x.indkey))
)
select 'grant_update_withheld' as id,
       'error' as level,
       c.oid::regclass::text as object,
       format('%s may update %s', g.grantee,
              string_agg(g.name, ', ' order by g.position)) as detail,
       'Whoever runs SQL as the serving role: update ..., and a row changes hands.' as exploit,
       case when bool_or(g.whole)
            then format('revoke update on %s from %s;', c.oid::regclass, g.grantee)
                 || coalesce(' grant update (' || (
                        select string_agg(quote_ident(att.attname), ', ' order by att.attnum)
                          from pg_catalog.pg_attribute att
                         where att.attrelid = c.oid and att.attnum > 0 and not att.attisdropped
                           and (att.attrelid, att.attnum) not in (table withheld)
                    ) || ') on ' || c.oid::regclass || ' to ' || nullif(g.grantee, 'public') || ';', '')
            else format('revoke update (%s) on %s from %s;',
                        string_agg(quote_ident(g.name), ', '), c.oid::regclass, g.grantee)
        end as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select att.attname, att.attnum, bool_or(a.whole),
              case a.grantee when 0 then 'public' else a.grantee::regrole::text end
         from pg_catalog.pg_attribute att
        cross join lateral (
              select grantee, privilege_type, true from aclexplode(c.relacl)
              union all
              select grantee, privilege_type, false from aclexplode(att.attacl)
              ) a (grantee, privilege_type, whole)
        where att.attrelid = c.oid and not att.attisdropped
          and (att.attrelid, att.attnum) in (table withheld)
          and a.privilege_type = 'UPDATE'
          and a.grantee <> c.relowner
          and (a.grantee = 0 or pg_has_role(app.oid, a.grantee, 'member'))
        group by att.attname, att.attnum, a.grantee) g (name, position, whole, grantee)
 where c.relkind in ('r', 'p', 'v')
   and c.oid >= 16384
   and exists (select from pg_catalog.pg_attribute u
                where u.attrelid = c.oid and not u.attisdropped
                  and u.attname = current_setting('audit.owner_column'))
 group by c.oid, g.grantee;
