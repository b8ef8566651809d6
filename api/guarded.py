"""Which tables are guarded: those on which the serving role has any privilege.

The catalog knows them, so nothing else lists them. Whoever has to provide for each one (probes,
export, tests) asks, and names the table that it has forgotten.
"""

from collections.abc import Iterable
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


def tables(connection: "psycopg.Connection[Any]", role: str = "task_app") -> list[str]:
    """Their names, those of schema public without it, in order; none when there is no such role."""
    asked = "(select oid from pg_catalog.pg_roles where rolname = %s)"
    query = f"select name from ({GRANTED.format(role=asked)}) granted order by 1"  # noqa: S608
    return [name for (name,) in connection.execute(query.encode(), [role, role]).fetchall()]


def missing(tables: Iterable[str], provided: Iterable[str], where: str) -> str | None:
    """None when each of the tables is provided for; else a line that says what to write, where."""
    if forgotten := sorted({*tables} - {*provided}):
        names, it = ", ".join(forgotten), "it" if len(forgotten) == 1 else "them"
        return f"{names}: the serving role has privileges on {it}; write what is wanted in {where}"
    return None
