"""Guarded tables: those on which the serving role has any privilege.

They are listed only in the catalog. Code that must handle each of them (probes, export, tests)
queries it, and reports a table that it does not know.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # the server needs only the SQL
    import psycopg

# Format with a role's name or oid, as SQL. Tables of extensions are left out, and PostgreSQL's own,
# whose oids are below 16384 (FirstNormalObjectId).
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


# Guarded tables whose rows have an owner, without partitions and inheriting tables. For the others
# the audit reports grant_other_table and partition_reachable.
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
    """The names of guarded tables with an owner column, sorted; with any schema but public."""
    return [name for (name,) in connection.execute(OWNED.encode()).fetchall()]
