-- owner_column_may_be_empty · error
-- A row can belong to the empty identity.
--
-- After the first transaction that set it, the setting is '' in the rest of the session, not
-- NULL. If a row may have the owner '', everybody who forgets to say who is asking shares those
-- rows. Counted as a guard is a valid check that compares the owner column, or its length, on its
-- own.
-- Source: PostgreSQL manual, current_setting; Customized Options.

select 'owner_column_may_be_empty' as id,
       'error' as level,
       format('%s.%I', c.oid::regclass, u.attname) as object,
       'no valid check refuses the empty text' as detail,
       'Anybody whose transaction did not set the identity, on a used connection.' as exploit,
       format('alter table %s add check (%I <> '''');', c.oid::regclass, u.attname) as mend
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute u
       on u.attrelid = c.oid and not u.attisdropped
      and u.attname = current_setting('audit.owner_column')
  join pg_catalog.pg_type t on t.oid = u.atttypid and t.typcategory = 'S'
 where c.relkind in ('r', 'p') and not c.relispartition
   and (c.relrowsecurity or c.relnamespace::regnamespace::text = 'public')
   and not exists (
       select
         from pg_catalog.pg_constraint con
        cross join lateral (
              select pg_get_constraintdef(con.oid),
                     case con.contypid when 0
                     then regexp_replace(quote_ident(u.attname), '\W', '\\\&', 'g')
                     else 'VALUE' end) it (def, name)
        where con.contype = 'c' and con.convalidated
          and coalesce((to_jsonb(con) ->> 'conenforced')::boolean, true)
          and (con.conrelid = c.oid and con.conkey = array[u.attnum]
               or con.contypid = t.oid)
          and it.def !~ '\m(OR|CASE|COALESCE)\M'
          and (it.def ~ format($$\(\(?(btrim\()?\(?%s\)?(::text)?\)? <> ''::$$, it.name)
               or it.def ~ format($$length\((btrim\()?\(?%s\)?(::text)?\)*\s>=? [1-9]$$, it.name)
               or it.def ~ format($$length\((btrim\()?\(?%s\)?(::text)?\)*\s> 0$$, it.name)));
