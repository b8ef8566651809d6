-- expression_on_table · error
-- An expression of a guarded table calls a function that may do more than compute.
--
-- A check, a default, a generated column, an index, a statistic and a domain's check are evaluated
-- with every row that is written, in everybody's sessions: `check (pg_notify('x', title) is ...)`
-- sends each of them away, and a function of one's own does whatever it likes, whatever it is
-- marked as. Counted is every call of a function that is not PostgreSQL's own, and every call of a
-- volatile one but for clocks, random values and sequences. (What is SECURITY DEFINER is reported
-- by function_definer_public.)
-- Who: whoever reads where the rows go.
-- Source: PostgreSQL manual, Constraints; Generated Columns; NOTIFY; Function Volatility Categories.

with guarded as (
    select c.oid from pg_catalog.pg_class c where c.relkind in ('r', 'p') and c.relrowsecurity
), expressions (relation, type, name, tree) as (
    select k.conrelid, 'constraint', k.conname, k.conbin
      from pg_catalog.pg_constraint k join guarded on guarded.oid = k.conrelid
     union all
    select a.attrelid, 'the domain of column', a.attname, k.conbin
      from pg_catalog.pg_attribute a
      join guarded on guarded.oid = a.attrelid
      join pg_catalog.pg_constraint k on k.contypid = a.atttypid
     union all
    select d.adrelid, 'the default of column', a.attname, d.adbin
      from pg_catalog.pg_attrdef d
      join guarded on guarded.oid = d.adrelid
      join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
     union all
    select x.indrelid, 'index', i.relname, tree
      from pg_catalog.pg_index x
      join guarded on guarded.oid = x.indrelid
      join pg_catalog.pg_class i on i.oid = x.indexrelid
     cross join lateral (values (x.indexprs), (x.indpred)) as it (tree)
     union all
    select s.stxrelid, 'statistics', s.stxname, s.stxexprs
      from pg_catalog.pg_statistic_ext s join guarded on guarded.oid = s.stxrelid
)
select 'expression_on_table' as id,
       'error' as level,
       format('%s, %s %I', e.relation::regclass, e.type, e.name) as object,
       format('calls %s', string_agg(distinct f.oid::regprocedure::text, ', ')) as detail,
       'Whoever reads where the function sends the rows of everybody.' as exploit,
       format('-- write %s %I on %s without', e.type, e.name, e.relation::regclass) as mend
  from expressions e
 cross join lateral regexp_matches(e.tree::text, ':\w*func(?:tion)?id (\d+)', 'g') as called
  join pg_catalog.pg_proc f on f.oid = called[1]::oid
 where not f.prosecdef
   and (f.oid >= 16384
        or f.provolatile = 'v'
           and f.proname !~ '^(clock_timestamp|random|gen_random_uuid|uuidv4|uuidv7|nextval)$')
 group by e.relation, e.type, e.name;
