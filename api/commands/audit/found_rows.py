"""Finds rows for the probes of a foreign database: of two owners in each table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from api.commands.audit.checks import Subject

# Tables with row security on which the role has a privilege, without those of extensions.
# `changed`: preferably a column that the role may update and that is in no constraint.
_TABLES: Final = """
select format('%%I.%%I', n.nspname, c.relname) as name, n.nspname as schema, c.relname as relation,
       u.attname is not null as is_owned,
       row_security_active(c.oid) as is_hidden,
       has_any_column_privilege(app.oid, c.oid, 'select') as is_readable,
       array(select a.attname::text from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and a.attgenerated = '' and a.attidentity <> 'a'
                and (a.attname = u.attname
                     or has_column_privilege(app.oid, c.oid, a.attnum, 'insert'))
              order by a.attnum) as inserted,
       array(select a.attname::text from pg_attribute a
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and a.attgenerated = '' and a.attidentity <> 'a' and a.attname <> u.attname
              order by has_column_privilege(app.oid, c.oid, a.attnum, 'update') desc,
                       exists (select from pg_index x where x.indrelid = c.oid and x.indisunique
                                                        and a.attnum = any (x.indkey)),
                       exists (select from pg_constraint k where k.conrelid = c.oid
                                                             and a.attnum = any (k.conkey)),
                       a.attnum
              limit 1) as changed
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_roles app on app.rolname = %(role)s
  left join pg_attribute u on u.attrelid = c.oid and u.attnum > 0 and not u.attisdropped
                          and u.attname = %(owner_column)s
 where c.oid >= 16384 and c.relkind in ('r', 'p') and c.relrowsecurity
   and has_schema_privilege(app.oid, n.oid, 'usage')
   and (has_table_privilege(app.oid, c.oid, 'select, insert, update, delete')
        or has_any_column_privilege(app.oid, c.oid, 'select, insert, update'))
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass
                                             and d.objid = c.oid and d.deptype = 'e')
 order by n.nspname, c.relname"""


@dataclass(frozen=True)
class Table:
    """A table, and the columns that probes write."""

    name: str
    schema: str
    relation: str
    is_owned: bool  # it has the owner column
    is_hidden: bool  # policies apply to the role that queries for owners
    is_readable: bool
    inserted: list[str]
    changed: list[str]  # one or none


@dataclass(frozen=True)
class Owned:
    """A table with rows of two owners: probes run as `me`, on rows of `them`."""

    table: Table
    me: str
    them: str
    own: int  # number of `me`'s rows
    row: dict[str, str | None]  # a row of `me`'s, as text


class Inconclusive(Exception):
    """A probe cannot be evaluated. The message is the reason."""


class Catalog:
    """Queries over a connection that sees the rows of all owners."""

    def __init__(self, connection: psycopg.Connection[Any], subject: Subject) -> None:
        self._connection, self._subject = connection, subject

    @property
    def _role(self) -> str:
        return f"role {self._connection.info.user} of MIGRATION_DATABASE_URL"

    def tables(self) -> list[Table]:
        """The tables with row security on which the role has a privilege."""
        with self._connection.cursor(row_factory=class_row(Table)) as cursor:
            return cursor.execute(
                _TABLES, {"role": self._subject.role, "owner_column": self._subject.owner_column}
            ).fetchall()

    def find(self, table: Table) -> Owned:
        """Find rows of two owners. Raises `Inconclusive` if there are none, or they are hidden."""
        column = self._subject.owner_column
        if not table.is_owned:
            raise Inconclusive(f"it has no column {column}, so nothing says whose a row is")
        if table.is_hidden:
            raise Inconclusive(
                f"policies bind {self._role}, which has to see rows of two owners; connect as a "
                "superuser, or a role with BYPASSRLS"
            )
        try:
            me, them = self._owners(table)
            return Owned(table, me, them, self.count(table, me), self._row(table, me))
        except psycopg.Error as error:
            raise Inconclusive(f"{self._role} found no rows: {sentence(error)}") from None

    def count(self, table: Table, owner: str) -> int:
        """The number of an owner's rows."""
        ((count,),) = self._query("select count(*) from {table} where {owner} = %s", table, [owner])
        return int(count)

    def _owners(self, table: Table) -> list[str]:
        other = "select {owner}::text from {table} where {owner}::text <> all (%s) limit 1"
        found: list[str] = []
        while len(found) < 2:
            rows = list(self._query(other, table, [["", *found]]))
            if not rows:
                raise Inconclusive(f"no rows of two different {self._subject.owner_column}")
            found.append(rows[0][0])
        return found

    def _row(self, table: Table, owner: str) -> dict[str, str | None]:
        columns = list(dict.fromkeys([*table.inserted, *table.changed]))
        (row,) = self._query(
            "select {columns} from {table} where {owner} = %s limit 1", table, [owner], columns
        )
        return dict(zip(columns, row, strict=True))

    def _query(
        self, query: LiteralString, table: Table, values: list[Any], columns: Sequence[str] = ()
    ) -> Iterator[tuple[Any, ...]]:
        composed = sql.SQL(query).format(
            table=sql.Identifier(table.schema, table.relation),
            owner=sql.Identifier(self._subject.owner_column),
            columns=sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns
            ),
        )
        with self._connection.transaction():
            rows = self._connection.execute(composed, values).fetchall()
        yield from rows


def sentence(error: psycopg.Error) -> str:
    """The primary message of an error, in one line; it quotes no row."""
    return " ".join((error.diag.message_primary or type(error).__name__).split())
