-- The live policies, as the SQL that would make them.

select case when n.nspname = 'public' then '' else quote_ident(n.nspname) || '.' end
       || quote_ident(c.relname) as relation,
       p.polname::text as name,
       concat_ws(E'\n    ',
           format('create policy %I on %s%I', p.polname,
                  case when n.nspname = 'public' then '' else quote_ident(n.nspname) || '.' end,
                  c.relname),
           case when not p.polpermissive then 'as restrictive' end,
           'for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert'
                       when 'w' then 'update' when 'd' then 'delete' else 'all' end
           || ' to ' || (select string_agg(case o when 0 then 'public' else o::regrole::text end,
                                           ', ') from unnest(p.polroles) o),
           'using (' || pg_get_expr(p.polqual, p.polrelid, true) || ')',
           'with check (' || pg_get_expr(p.polwithcheck, p.polrelid, true) || ')') || ';' as sql
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 order by relation, p.polcmd, name;
