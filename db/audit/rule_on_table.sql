-- rule_on_table · error
-- A rule rewrites statements on a relation that the serving role reaches.
--
-- What a rule adds runs with the privileges of the table's owner, not of whoever wrote the
-- statement: `on insert do also insert into log ...` copies rows to where no policy is. Triggers
-- do not do that. Rules of a view count as well, but for the query that makes it a view.
-- Who: whoever may read what the rule writes.
-- Source: PostgreSQL manual, Rules and Privileges.

with recursive guarded (oid) as (
    select c.oid from pg_catalog.pg_class c where c.relrowsecurity
     union
    select i.inhrelid from pg_catalog.pg_inherits i join guarded on guarded.oid = i.inhparent
)
select 'rule_on_table' as id,
       'error' as level,
       format('%s, rule %I', c.oid::regclass, r.rulename) as object,
       format('rewrites %s', case r.ev_type when '2' then 'update' when '3' then 'insert'
                                            when '4' then 'delete' else 'select' end) as detail,
       format('Whoever may read what it writes; it writes as %s.', c.relowner::regrole) as exploit,
       format('drop rule %I on %s;', r.rulename, c.oid::regclass) as mend
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  left join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 where r.rulename <> '_RETURN'
   and c.oid >= 16384
   and (c.oid in (select oid from guarded)
        or has_table_privilege(app.oid, c.oid, 'select, insert, update, delete')
        or has_any_column_privilege(app.oid, c.oid, 'select, insert, update'));
