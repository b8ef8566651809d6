-- policy_ignores_caller · error
-- A policy does not compare the owner of the row with the caller.
--
-- What is wanted is `owner = (select current_setting('...', true))`, or a helper function that
-- reads the setting in its place, alone or as the first or last of what is joined by AND, both as
-- they are or cast to a type that keeps all of the value: as real, char or citext, and by a
-- collation that is not deterministic, two owners can be one. LIKE,
-- >=, ANY, NOT, another setting or another column may look as if they did the same. (What looks
-- at no column is reported by policy_always_true; OR, COALESCE, CASE and their like by
-- policy_fails_open.)
-- Who: anybody served, as soon as one statement forgets its filter.
-- Source: PostgreSQL manual, Row Security Policies.

select 'policy_ignores_caller' as id,
       'error' as level,
       format('%s, policy %I', c.oid::regclass, p.polname) as object,
       format('%s (%s) does not demand that %I is %s', e.clause, it.expression,
              current_setting('audit.owner_column'), current_setting('audit.setting')) as detail,
       'Anybody served, as soon as one statement forgets its filter.' as exploit,
       case when folds.by is null
            then format('alter policy %I on %s %s (%I = (select current_setting(%L, true)));',
                        p.polname, c.oid::regclass, e.clause, current_setting('audit.owner_column'),
                        current_setting('audit.setting'))
            else format('-- give %s.%I another collation than %s, which is not deterministic',
                        c.oid::regclass, current_setting('audit.owner_column'), folds.by)
       end as mend
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_roles app on app.rolname = current_setting('audit.role')
 cross join lateral (
       values ('using', p.polqual), ('with check', p.polwithcheck)) e (clause, tree)
 -- What the two are called, as a pattern has to write it.
 cross join (
       select regexp_replace(quote_ident(current_setting('audit.owner_column')), '\W', '\\\&', 'g'),
              regexp_replace(quote_literal(current_setting('audit.setting')), '\W', '\\\&', 'g')
       ) named (owner, setting)
 cross join lateral (
       select pg_get_expr(e.tree, p.polrelid),
              concat_ws('|', format($$current_setting\(%s::text(, (true|false))?\)$$, named.setting), (
                  select string_agg('(\w+\.)?' || f.proname || '\([^()]*\)', '|')
                    from pg_catalog.pg_depend d
                    join pg_catalog.pg_proc f on f.oid = d.refobjid
                   where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
                     and d.refclassid = 'pg_catalog.pg_proc'::regclass
                     and coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) ~ named.setting))
       ) it (expression, caller)
 -- Types that keep all of a value, and domains over them: two owners stay two.
 cross join lateral (
       select format('(text|uuid|smallint|integer|bigint|numeric|character varying%s)',
                     string_agg('|' || regexp_replace(t.oid::regtype::text, '\W', '\\\&', 'g'), ''))
         from pg_catalog.pg_type t
        where t.typtype = 'd'
          and t.typbasetype in ('text'::regtype, 'uuid'::regtype, 'int2'::regtype, 'int4'::regtype,
                                'int8'::regtype)) kept (type)
 -- The caller may stand in a sub-select, in nullif(..., ''), and be cast.
 cross join lateral (
       select format($$(%s|\(%1$s\)::%s)$$, named.owner, kept.type),
              format($$\(*((NULLIF|COALESCE)\()?(\( SELECT )?\(?((NULLIF|COALESCE)\()?(%1$s)$$
                     || $$(, ''::text\))?(\)::%2$s)?( AS "?\w+"?\))?(, ''::text\))?$$
                     || $$(\)::%2$s)?$$, it.caller, kept.type)) is_in (owner, caller)
 cross join lateral (
       select format('\((%s = %s|%2$s = %1$s)\)', is_in.owner, is_in.caller)) wanted (pattern)
  left join lateral (
       select l.oid::regcollation
         from pg_catalog.pg_attribute u
         join pg_catalog.pg_collation l on l.oid = u.attcollation
        where u.attrelid = p.polrelid and u.attname = current_setting('audit.owner_column')
          and not l.collisdeterministic) folds (by) on true
 where p.polpermissive
   and exists (select from unnest(p.polroles) as r (role)
                where r.role in (0, app.oid)
                   or not app.rolsuper and pg_has_role(app.oid, r.role, 'member'))
   and e.tree::text ~ '\{VAR '
   and it.expression !~ '^\(?(\w+)( = \1| IS NOT NULL)\)?$'
   and e.tree::text !~ '\{(BOOLEXPR :boolop or|DISTINCTEXPR|CASE|CASEEXPR) '
   and e.tree::text !~ '\{BOOLEANTEST .*:booltesttype [134] '
   and it.expression !~ $$\mCOALESCE\((?!(\( SELECT )?current_setting\([^()]*\)[^(),]*\)?, ''::text)$$
   -- The parentheses count: it is the whole, or an arm of the outermost AND.
   and (folds.by is not null
        or it.expression !~ format('^(%s|\(%1$s AND .*|.* AND %1$s\))$', wanted.pattern));
