"""Statements on one row of a table with an owner, made from its model and lists of columns."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    DateTime,
    any_,
    bindparam,
    func,
    or_,
)
from sqlmodel import case, delete, insert, select, update

from api.database import json_rows
from api.database.statement import CALLER, Statement

ID: Final = bindparam("id", type_=BigInteger)
# NULL: any version.
VERSIONS: Final = bindparam("versions", type_=ARRAY(BigInteger))


@final
class Resource:
    """`get`, `create`, `update` and `delete` a row of a table with `user_id`, `id` and `version`.

    They find a row by the parameter `id`; `update` and `delete`, only if its version is among
    `versions`. They return the columns `body` (the row's JSON), `id` and `version`; `delete`
    returns `id`. They return no row if the caller has none with this id.
    """

    def __init__(
        self, table: Any, *, read: Iterable[str], created: Iterable[str], changed: Iterable[str]
    ) -> None:
        """`read`: the columns that are members of the JSON, in this order. `created` and `changed`:
        those that have a parameter of their name in `create` and in `update`."""
        self.mine: Final = table.user_id == CALLER
        self.this: Final = table.id == ID
        self.unchanged: Final = or_(VERSIONS.is_(None), table.version == any_(VERSIONS))
        self.read: Final = [_json_member(getattr(table, name)) for name in read]
        self.stored: Final = [*self.read, table.version]
        self._changed: Final = [getattr(table, name) for name in changed]

        self.get: Final = self.one(select(*self.stored).where(self.mine, self.this))
        given = {name: _parameter(getattr(table, name)) for name in created}
        self.create: Final = self.one(
            insert(table).values(user_id=CALLER, **given).returning(*self.stored)
        )
        self.update: Final = self.one(
            update(table)
            .where(self.mine, self.this, self.unchanged)
            .values({column.key: _new_value(column) for column in self._changed})
            .returning(*self.stored)
        )
        self.delete: Final = Statement(
            delete(table).where(self.mine, self.this, self.unchanged).returning(table.id)
        )

    def one(self, rows: Any) -> Statement:
        """A statement that returns the row of `rows`, which has all columns of `stored`."""
        found = rows.cte("one")
        shown = select(*(found.c[column.key] for column in self.read)).subquery("shown")
        return Statement(
            select(json_rows.json(shown).label("body"), found.c.id, found.c.version).select_from(
                shown, found
            )
        )

    def changes(self, given: Mapping[str, object]) -> dict[str, object]:
        """The parameters of `update` that set the given columns, and keep the others."""
        values = {column.key: given.get(column.key) for column in self._changed}
        flags = {_flag(column): column.key in given for column in self._changed if column.nullable}
        return values | flags


def _json_member(column: Any) -> Any:
    return json_rows.date(column) if isinstance(column.type, DateTime) else column


def _parameter(column: Any) -> BindParameter[Any]:
    return bindparam(column.key, type_=column.type)


def _flag(column: Any) -> str:
    """The name of the parameter that tells a given NULL from a missing value."""
    return f"has_{column.key}"


def _new_value(column: Any) -> Any:
    """The value to set. NULL keeps the old one, unless the column is nullable."""
    if column.nullable:
        has_value = bindparam(_flag(column), type_=Boolean)
        return case((has_value, _parameter(column)), else_=column)
    return func.coalesce(_parameter(column), column)
