"""A statement that cannot be run for nobody: SQLModel expressions, compiled once for asyncpg."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, final

from sqlalchemy import BindParameter, Delete, Insert, Select, Text, Update, bindparam
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ColumnElement
from sqlalchemy.sql.expression import CTE, ClauseElement, FromClause, Subquery, TableClause

# Who is asking. `db.Transaction` binds it, and nothing else can.
CALLER: Final[BindParameter[str]] = bindparam("caller", type_=Text)

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Unfiltered(TypeError):
    """A statement reaches a table without `user_id == CALLER`."""


@final
class Statement:
    """SQL with `$1`-style parameters and the order in which their values are bound.

    Raises `Unfiltered` when some part of the statement reads, changes or removes rows of a table
    without `user_id == CALLER` among the conditions that must all hold, or inserts rows whose
    `user_id` is not `CALLER`.
    """

    __slots__ = ("_parameters", "sql")

    def __init__(self, expression: ClauseElement) -> None:
        for part in visitors.iterate(expression):
            if isinstance(part, Select | Update | Delete | Insert):
                _demand_filter(part)
        compiled = expression.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self._parameters = tuple(getattr(compiled, "positiontup", None) or ())

    def arguments(self, caller: str, values: dict[str, object]) -> list[object]:
        """The values in the statement's order.

        Raises `TypeError` when `values` are not exactly the statement's parameters less `caller`.
        """
        if {*values, CALLER.key} != {*self._parameters} or CALLER.key in values:
            raise TypeError(f"{sorted(values)} given to a statement of {sorted(self._parameters)}")
        values[CALLER.key] = caller
        return [values[name] for name in self._parameters]


def _demand_filter(part: Select[tuple[object, ...]] | Update | Delete | Insert) -> None:
    if isinstance(part, Insert):
        values: Mapping[Any, object] = part._values or {}  # noqa: SLF001 - SQLAlchemy has no public name for them
        if values.get(part.table.c.user_id) is not CALLER:
            raise Unfiltered(f"insert into {part.table} without user_id=CALLER")
        return
    for source in part.get_final_froms() if isinstance(part, Select) else [part.table]:
        if isinstance(source, Subquery | CTE):
            continue  # its own parts are looked at
        if not isinstance(source, TableClause) or not any(
            _is_filter(condition, source) for condition in _conjuncts(part.whereclause)
        ):
            raise Unfiltered(f"{type(part).__name__.lower()} on {source} without user_id == CALLER")


def _conjuncts(condition: ColumnElement[bool] | None) -> Iterator[object]:
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _conjuncts(clause)
    else:
        yield condition


def _is_filter(condition: object, table: FromClause) -> bool:
    return (
        isinstance(condition, BinaryExpression)
        and condition.operator is operators.eq
        and condition.left.compare(table.c.user_id)
        and condition.right is CALLER
    )
