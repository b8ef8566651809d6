-- policy_without_check · error
-- A policy does not say what may be written, or says less of it than of what may be read.
--
-- `with check` is what a row must be after the write. INSERT needs one. For UPDATE and ALL
-- PostgreSQL falls back on `using`, until somebody loosens `using` in order to show more, and
-- with it what may be written. A `with check` that is not `using` (or `using` and more) lets rows
-- change hands.
-- Who: anybody served, by a write whose row the reader does not own.
-- Source: PostgreSQL manual, CREATE POLICY (USING, WITH CHECK).

select 'policy_without_check' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       case when it.written is null then 'has no with check'
            else format('has with check (%s), but using (%s)', it.written, it.read) end as detail,
       'Anybody served: writes a row that is not, or no longer, their own.' as exploit,
       format('alter policy %I on %s with check (%s);', p.polname, c.oid::regclass,
              case when it.written is null then coalesce(it.read, own.sql) else own.sql end) as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       select pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
       ) it (read, written)
 cross join (
       select format('%I = (select current_setting(%L, true))', current_setting('audit.owner_column'),
                     current_setting('audit.setting')),
              format('(%I = ( SELECT current_setting(%L::text, true) AS current_setting))',
                     current_setting('audit.owner_column'), current_setting('audit.setting'))
       ) own (sql, printed)
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and p.polcmd in ('a', 'w', '*')
   and (it.written is null
        or it.written <> it.read
           and not starts_with(it.written, '(' || it.read || ' AND ')
           and it.written <> own.printed);
