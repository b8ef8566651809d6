"""Statements on one row of a table with an owner, made from its model and lists of columns."""

from collections.abc import Iterable, Mapping
from functools import reduce
from itertools import starmap
from operator import add
from typing import Any, Final, final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    DateTime,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    true,
)
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import case, delete, insert, select, update

from api.database import json_rows
from api.database.statement import CALLER, Statement

ID: Final = bindparam("id", type_=BigInteger)
# NULL: any version.
VERSIONS: Final = bindparam("versions", type_=ARRAY(BigInteger))

_NOTHING: Final[ColumnElement[str]] = literal_column("''", Text)


@final
class Resource:
    """`get`, `create`, `update` and `delete` a row of a table with `user_id`, `id` and `version`.

    They find a row by the parameter `id`; `update` and `delete` change it only if its version is
    among `versions`. They return the columns `body` (the row's JSON), `id` and `version`; `delete`
    returns `id`. They return no row if the caller has none with this id.

    `update_whole` is `update` for a row that is sent back as it was read: it locks the row, and
    compares its read-only columns before it changes it. It also returns whether the version
    `is_current`, and the names of the columns that are `differing`; without the one, or with any of
    the others, nothing is changed and there is no `body`.
    """

    def __init__(
        self, table: Any, *, read: Iterable[str], created: Iterable[str], changed: Iterable[str]
    ) -> None:
        """`read`: the columns that are members of the JSON, in this order, with `id` and `version`.
        `created` and `changed`: those that `create` and `update` set. All other columns of `read`
        but `version` are read-only."""
        self.mine: Final = table.user_id == CALLER
        self.this: Final = table.id == ID
        self.unchanged: Final = or_(VERSIONS.is_(None), table.version == any_(VERSIONS))
        self.read: Final = [_json_member(getattr(table, name)) for name in read]
        self._changed: Final = {name: getattr(table, name) for name in changed}
        self._read_only: Final = {
            f"read_{name}": getattr(table, name)
            for name in read
            if name not in self._changed and name != "version"
        }

        self.get: Final = self.one(select(*self.read).where(self.mine, self.this))
        given = {name: _parameter(name, getattr(table, name)) for name in created}
        self.create: Final = self.one(
            insert(table).values(user_id=CALLER, **given).returning(*self.read)
        )
        change = update(table).values(
            {name: _new_value(column) for name, column in self._changed.items()}
        )
        self.update: Final = self.one(
            change.where(self.mine, self.this, self.unchanged).returning(*self.read)
        )
        self.update_whole: Final = self._update_whole(table, change)
        self.delete: Final = Statement(
            delete(table).where(self.mine, self.this, self.unchanged).returning(table.id)
        )

    def one(self, rows: Any) -> Statement:
        """A statement that returns the row of `rows`, which has all columns of `read`."""
        found = rows.cte("one")
        shown = select(*(found.c[column.key] for column in self.read)).subquery("shown")
        return Statement(
            select(json_rows.json(shown).label("body"), found.c.id, found.c.version).select_from(
                shown, found
            )
        )

    def _update_whole(self, table: Any, change: Any) -> Statement:
        found = (
            select(
                table.id,
                self.unchanged.label("is_current"),
                reduce(add, starmap(_difference, self._read_only.items())).label("differing"),
            )
            .where(self.mine, self.this)
            .with_for_update()
            .cte("found")
        )
        changed = (
            change.where(self.mine, self.this, found.c.is_current, found.c.differing == _NOTHING)
            .returning(*self.read)
            .cte("one")
        )
        shown = select(*(changed.c[column.key] for column in self.read)).subquery("shown")
        body = json_rows.json(shown).label("body")
        columns: list[Any] = [body, shown.c.version, *found.c]
        return Statement(select(*columns).select_from(found.outerjoin(shown, true())))

    def changes(self, given: Mapping[str, object]) -> dict[str, object]:
        """The parameters of `update` that set the given columns, and keep the others."""
        return _values(self._changed, given)

    def expected(self, given: Mapping[str, object]) -> dict[str, object]:
        """What else `update_whole` takes: the given read-only columns. Empty if none is given."""
        if given.keys().isdisjoint(column.key for column in self._read_only.values()):
            return {}
        return _values(self._read_only, given)


def _json_member(column: Any) -> Any:
    return json_rows.date(column) if isinstance(column.type, DateTime) else column


def _parameter(name: str, column: Any) -> BindParameter[Any]:
    return bindparam(name, type_=column.type)


def _values(columns: Mapping[str, Any], given: Mapping[str, object]) -> dict[str, object]:
    values = {name: given.get(column.key) for name, column in columns.items()}
    flags = {
        _flag(name): column.key in given for name, column in columns.items() if column.nullable
    }
    return values | flags


def _flag(name: str) -> str:
    """The name of the parameter that tells a given NULL from a missing value."""
    return f"has_{name}"


def _new_value(column: Any) -> Any:
    """The value to set. NULL keeps the old one, unless the column is nullable."""
    value = _parameter(column.key, column)
    if column.nullable:
        return case((bindparam(_flag(column.key), type_=Boolean), value), else_=column)
    return func.coalesce(value, column)


def _difference(name: str, column: Any) -> ColumnElement[str]:
    """The column's name and a space, if its parameter `name` is given and differs; or nothing."""
    value = _parameter(name, column)
    differs = column != value
    if column.nullable:
        has_value = bindparam(_flag(name), type_=Boolean)
        differs = has_value & column.is_distinct_from(value)
    key: ColumnElement[str] = literal_column(f"'{column.key} '", Text)
    return case((differs, key), else_=_NOTHING)
