"""Statements on one row of a table with an owner, made from its model and lists of columns."""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from itertools import starmap
from operator import add
from typing import Any, Final, final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Text,
    Time,
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

# What is made of the values of a row, by column; a rule is a condition on them.
OfValues = Callable[[Mapping[str, Any]], ColumnElement[Any]]


@final
class Resource:
    """`get`, `create`, `update` and `delete` a row of a table with `user_id`, `id` and `version`.

    They find a row by the parameter `id`; `update` and `delete` change it only if its version is
    among `versions`. They return the columns `body` (the row's JSON), `id` and `version`; `delete`
    returns `id`. They return no row if the caller has none with this id.

    `update` also returns no row if the change has to be looked at: if it breaks a rule, or makes a
    column true on which something depends. Then, and for a row that is sent back as it was read,
    there is `update_whole`: it locks the row, and compares its read-only columns before it changes
    it. It also returns whether the version `is_current`, the names of the columns that are
    `differing`, and of the rules that would be `broken`; without the one, or with any of the
    others, nothing is changed and there is no `body`.
    """

    def __init__(
        self,
        table: Any,
        *,
        read: Iterable[str],
        created: Iterable[str],
        changed: Iterable[str],
        rules: Mapping[str, OfValues] | None = None,
        when_true: Mapping[str, tuple[Any, OfValues]] | None = None,
    ) -> None:
        """`read`: the columns that are members of the JSON, in this order, with `id` and `version`.
        `created` and `changed`: those that `create` and `update` set; `create` needs parameters
        for those alone that have no default. All other columns of `read` but `version` are
        read-only. `rules`: by name, what must not be true of a changed row. `when_true`: what
        `update_whole` returns as well, by name: a boolean column, and what is made of the changed
        row, which is NULL unless the column was made true just now."""
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

        self.stored: Final = {column.key: column for column in table.__table__.c}
        self._rules: Final = rules or {}
        self._when_true: Final = when_true or {}

        self.get: Final = self.one(select(*self.read).where(self.mine, self.this))
        given = {name: _first_value(getattr(table, name)) for name in created}
        self.create: Final = self.one(
            insert(table).values(user_id=CALLER, **given).returning(*self.read)
        )
        new = {name: _new_value(column) for name, column in self._changed.items()}
        change = update(table).values(new)
        needs_no_look = [
            *(~rule(new) for rule in self._rules.values()),
            *(
                or_(column, ~new[column.key], of(self.stored | new).is_(None))
                for column, of in self._when_true.values()
            ),
        ]
        self.update: Final = self.one(
            change.where(self.mine, self.this, self.unchanged, *needs_no_look).returning(*self.read)
        )
        self.update_whole: Final = self._update_whole(table, change, new)
        self.delete: Final = Statement(
            delete(table).where(self.mine, self.this, self.unchanged).returning(table.id)
        )

    def one(self, rows: Any, *more: str) -> Statement:
        """A statement that returns the row of `rows`, which has all columns of `read` and these."""
        found = rows.cte("one")
        columns: list[Any] = [found.c[name] for name in ("id", "version", *more)]
        if not more:  # what is found is what is shown; to join the two takes a fourth longer
            return Statement(select(json_rows.json(found).label("body"), *columns))
        shown = select(*(found.c[column.key] for column in self.read)).subquery("shown")
        return Statement(
            select(json_rows.json(shown).label("body"), *columns).select_from(shown, found)
        )

    def _update_whole(self, table: Any, change: Any, new: Mapping[str, Any]) -> Statement:
        found = (
            select(
                table.id,
                self.unchanged.label("is_current"),
                _words(starmap(_difference, self._read_only.items())).label("differing"),
                _words(_word(name, rule(new)) for name, rule in self._rules.items()).label(
                    "broken"
                ),
                *(column.label(f"was_{name}") for name, (column, _) in self._when_true.items()),
            )
            .where(self.mine, self.this)
            .with_for_update()
            .cte("found")
        )
        is_fit = [found.c.is_current, found.c.differing == _NOTHING, found.c.broken == _NOTHING]
        changed = (
            change.where(self.mine, self.this, *is_fit)
            .returning(
                *self.read,
                *(
                    case((column, of(self.stored))).label(name)
                    for name, (column, of) in self._when_true.items()
                ),
            )
            .cte("one")
        )
        shown = select(*(changed.c[column.key] for column in self.read)).subquery("shown")
        noticed = [
            case((~found.c[f"was_{name}"], changed.c[name])).label(name) for name in self._when_true
        ]
        checks = [found.c[name] for name in ("id", "is_current", "broken", "differing")]
        columns: list[Any] = [json_rows.json(shown).label("body"), shown.c.version]
        row = found.outerjoin(changed, true()).outerjoin(shown, true())
        return Statement(select(*columns, *noticed, *checks).select_from(row))

    def changes(self, given: Mapping[str, object]) -> dict[str, object]:
        """The parameters of `update` that set the given columns, and keep the others."""
        return _values(self._changed, given)

    def expected(self, given: Mapping[str, object]) -> dict[str, object]:
        """What else `update_whole` takes: the given read-only columns. Empty if none is given."""
        if given.keys().isdisjoint(column.key for column in self._read_only.values()):
            return {}
        return _values(self._read_only, given)


def _json_member(column: Any) -> Any:
    if names := column.info.get("names"):
        return json_rows.named(column, names)
    if isinstance(column.type, Time):
        return json_rows.time(column)
    return json_rows.date(column) if isinstance(column.type, DateTime) else column


def _parameter(name: str, column: Any, *, required: bool = True) -> Any:
    """The value of a column; of one with names, its number."""
    if not (names := column.info.get("names")):
        return bindparam(name, type_=column.type, required=required)
    given = bindparam(name, type_=Text, required=required)
    return case(
        *(
            (given == literal_column(f"'{text}'"), literal_column(str(number)))
            for number, text in names.items()
        )
    )


def _first_value(column: Any) -> Any:
    """The value of a new row. Without the parameter it is the default, or NULL, if the column can
    have it."""
    if column.server_default is not None:
        default: ColumnElement[Any] = literal_column(f"'{column.server_default.arg}'")
        return func.coalesce(_parameter(column.key, column, required=False), default)
    return _parameter(column.key, column, required=not column.nullable)


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
    """The column's name, if its parameter `name` is given and differs; or nothing."""
    value = bindparam(name, None, type_=column.type)
    differs = column != value
    if column.nullable:
        has_value = bindparam(_flag(name), None, type_=Boolean)
        differs = has_value & column.is_distinct_from(value)
    return _word(column.key, differs)


def _word(name: str, condition: ColumnElement[bool]) -> ColumnElement[str]:
    """The name and a space, if the condition is true; or nothing."""
    return case((condition, literal_column(f"'{name} '", Text)), else_=_NOTHING)


def _words(words: Iterable[ColumnElement[str]]) -> ColumnElement[str]:
    return reduce(add, words, _NOTHING)
