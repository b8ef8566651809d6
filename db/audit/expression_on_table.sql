-- expression_on_table · error
-- An expression of a guarded table calls a function that may do more than compute.
--
-- A check, a default, a generated column, an index, a statistic and a domain's check or default are
-- evaluated with every row that is written, in everybody's sessions: `check (pg_notify('x', title)
-- is ...)` sends each of them away, and a function of one's own does whatever it likes, whatever it
-- is marked as. So do the functions of an operator class, which an index calls with every value.
-- Counted is every call of a function that is not PostgreSQL's own, and every call of a volatile one
-- but for clocks, random values and sequences; of an operator class, every function that is not
-- written in C. The types of columns are followed into domains, arrays, ranges and composites, and
-- tables into their partitions and children. (What is SECURITY DEFINER is reported by
-- function_definer_public.)
-- Who: whoever reads where the rows go.
-- Source: PostgreSQL manual, Constraints; Generated Columns; CREATE DOMAIN; CREATE OPERATOR CLASS;
-- NOTIFY; Function Volatility Categories.

with recursive guarded (oid) as (
    select c.oid from pg_catalog.pg_class c where c.relkind in ('r', 'p') and c.relrowsecurity
     union
    select i.inhrelid from pg_catalog.pg_inherits i join guarded on guarded.oid = i.inhparent
), types (relation, attname, type) as (
    select a.attrelid, a.attname, a.atttypid
      from pg_catalog.pg_attribute a
      join guarded on guarded.oid = a.attrelid
     where a.attnum > 0 and not a.attisdropped
     union
    select types.relation, types.attname, inner_type.oid
      from types
      join pg_catalog.pg_type t on t.oid = types.type
     cross join lateral (
           select unnest(array[t.typbasetype, t.typelem])
            union all
           select part.atttypid from pg_catalog.pg_attribute part
            where part.attrelid = t.typrelid and part.attnum > 0 and not part.attisdropped
            union all
           select r.rngsubtype from pg_catalog.pg_range r where t.oid in (r.rngtypid, r.rngmultitypid)
           ) inner_type (oid)
     where inner_type.oid <> 0
), expressions (relation, type, name, tree) as (
    select k.conrelid, 'constraint', k.conname, k.conbin
      from pg_catalog.pg_constraint k join guarded on guarded.oid = k.conrelid
     union all
    select types.relation, 'the domain of column', types.attname, tree
      from types
      join pg_catalog.pg_type t on t.oid = types.type
      left join pg_catalog.pg_constraint k on k.contypid = t.oid
     cross join lateral (values (k.conbin), (t.typdefaultbin)) as it (tree)
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
     union all
    select p.partrelid, 'the partitions', c.relname, p.partexprs
      from pg_catalog.pg_partitioned_table p
      join guarded on guarded.oid = p.partrelid
      join pg_catalog.pg_class c on c.oid = p.partrelid
), calls (relation, type, name, function) as (
    select e.relation, e.type, e.name, f.oid
      from expressions e
     cross join lateral regexp_matches(e.tree::text, ':\w*func(?:tion)?id (\d+)', 'g') as called
      join pg_catalog.pg_proc f on f.oid = called[1]::oid
     where f.oid >= 16384
        or f.provolatile = 'v'
           and f.proname !~ '^(clock_timestamp|random|gen_random_uuid|uuidv4|uuidv7|nextval)$'
     union
    select it.relation, it.type, it.name, f.oid
      from (select x.indrelid, 'index', i.relname, unnest(x.indclass::oid[])
              from pg_catalog.pg_index x
              join guarded on guarded.oid = x.indrelid
              join pg_catalog.pg_class i on i.oid = x.indexrelid
             union
            select p.partrelid, 'the partitions', c.relname, unnest(p.partclass::oid[])
              from pg_catalog.pg_partitioned_table p
              join guarded on guarded.oid = p.partrelid
              join pg_catalog.pg_class c on c.oid = p.partrelid
             union
            select types.relation, 'the range of column', types.attname, r.rngsubopc
              from types
              join pg_catalog.pg_range r on types.type in (r.rngtypid, r.rngmultitypid)
           ) it (relation, type, name, opclass)
      join pg_catalog.pg_opclass class on class.oid = it.opclass
     cross join lateral (
           select p.amproc from pg_catalog.pg_amproc p where p.amprocfamily = class.opcfamily
            union
           select o.oprcode
             from pg_catalog.pg_amop m
             join pg_catalog.pg_operator o on o.oid = m.amopopr
            where m.amopfamily = class.opcfamily) called (function)
      join pg_catalog.pg_proc f on f.oid = called.function
      join pg_catalog.pg_language l on l.oid = f.prolang
     where f.oid >= 16384 and l.lanname not in ('c', 'internal')
     union
    select types.relation, 'the range of column', types.attname, f.oid
      from types
      join pg_catalog.pg_range r on types.type in (r.rngtypid, r.rngmultitypid)
      join pg_catalog.pg_proc f on f.oid in (r.rngcanonical, r.rngsubdiff)
     where f.oid >= 16384
)
select 'expression_on_table' as id,
       'error' as level,
       format('%s, %s %I', e.relation::regclass, e.type, e.name) as object,
       format('calls %s', string_agg(distinct f.oid::regprocedure::text, ', ')) as detail,
       'Whoever reads where the function sends the rows of everybody.' as exploit,
       format('-- write %s %I on %s without', e.type, e.name, e.relation::regclass) as mend
  from calls e
  join pg_catalog.pg_proc f on f.oid = e.function
 where not f.prosecdef
 group by e.relation, e.type, e.name;
