"""Which tables are guarded: those on which the serving role has any privilege.

The catalog knows them, so nothing else lists them. Whoever has to provide for each one (probes,
export, tests) asks, and names the table that it has forgotten.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # the server needs the SQL alone
    import psycopg

# Format with a role's name or oid, as SQL. An extension's tables are the extension's business;
# oids below 16384 (FirstNormalObjectId) are PostgreSQL's own.
GRANTED: Final = """
select c.oid, n.nspname as schema,
       case when n.nspname = 'public' then '' else quote_ident(n.nspname) || '.' end
           || quote_ident(c.relname) as name
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.oid >= 16384 and c.relkind in ('r', 'p')
   and (has_table_privilege({role}, c.oid,
            'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege({role}, c.oid, 'select, insert, update, references'))
   and not exists (select from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_class'::regclass
                      and d.objid = c.oid and d.deptype = 'e')"""


# The same of those in which a row belongs to somebody, less the parts of others. Of the rest the
# audit says grant_other_table and partition_reachable.
OWNED: Final = f"""
select granted.name
  from ({GRANTED.format(role="(select oid from pg_catalog.pg_roles where rolname = 'task_app')")}
       ) granted
  join pg_catalog.pg_attribute a on a.attrelid = granted.oid
 where a.attname = 'user_id' and not a.attisdropped
   and not exists (select from pg_catalog.pg_inherits i where i.inhrelid = granted.oid)
 order by 1
"""  # noqa: S608 - of our own constants


def tables(connection: "psycopg.Connection[Any]") -> list[str]:
    """Those of people's rows, in order, by name: with the schema, if that is not public."""
    return [name for (name,) in connection.execute(OWNED.encode()).fetchall()]
