"""A statement that cannot be run for nobody: SQLModel expressions, compiled once for asyncpg."""

import re
from collections.abc import Iterator
from typing import Any, Final, final

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Delete,
    Insert,
    Select,
    Text,
    TextClause,
    Update,
    bindparam,
)
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    ColumnClause,
    ColumnElement,
)
from sqlalchemy.sql.expression import CTE, ClauseElement, FromClause, Subquery, TableClause

# ruff: noqa: SLF001 - SQLAlchemy has no public names for some of what is looked at here

# Who is asking. `db.Transaction` binds it, and nothing else can.
CALLER: Final[BindParameter[str]] = bindparam("caller", type_=Text)

_DIALECT: Final = asyncpg.dialect()  # type: ignore[no-untyped-call]
_COMPILER: Final = _DIALECT.statement_compiler(_DIALECT, None)
_CONSTANT: Final = re.compile(r"[0-9]+|'[^'\\]*'|\*")


class Unfiltered(TypeError):
    """A statement reaches a table without `user_id == CALLER`, or cannot be seen not to."""


@final
class Statement:
    """SQL with `$1`-style parameters and the order in which their values are bound.

    Raises `Unfiltered` when some part of the statement reads, changes or removes rows of a table
    without `user_id == CALLER` among the conditions that must all hold, gives a row to anybody but
    `CALLER`, or holds SQL as text other than a constant.
    """

    __slots__ = ("_given", "_parameters", "sql")

    def __init__(self, expression: ClauseElement) -> None:
        if not isinstance(expression, Select | CompoundSelect | Update | Delete | Insert):
            raise Unfiltered(f"{type(expression).__name__} is no kind of statement known here")
        # A part is met once for each way that leads to it.
        for part in {id(part): part for part in visitors.iterate(expression)}.values():
            _demand_no_text(part)
            if isinstance(part, Insert | Update):
                _demand_owner(part)
            if isinstance(part, Select | Update | Delete):
                _demand_filter(part)
        compiled = expression.compile(dialect=_DIALECT)
        self.sql: Final = str(compiled)
        self._parameters = tuple(getattr(compiled, "positiontup", None) or ())
        if CALLER.key not in self._parameters:
            raise Unfiltered("the statement is about nobody")
        self._given = {*self._parameters} - {CALLER.key}

    def arguments(self, caller: str, values: dict[str, object]) -> list[object]:
        """The values in the statement's order.

        Raises `TypeError` when `values` are not exactly the statement's parameters less `caller`.
        """
        if values.keys() != self._given:
            raise TypeError(f"{sorted(values)} given to a statement of {sorted(self._parameters)}")
        return [caller if name == CALLER.key else values[name] for name in self._parameters]


def _demand_no_text(part: object) -> None:
    if (
        isinstance(part, TextClause)
        or (isinstance(part, ColumnClause) and part.is_literal and not _is_constant(part))
        or isinstance(getattr(part, "operator", None), operators.custom_op)
        or any(getattr(part, name, ()) for name in ("_prefixes", "_suffixes", "_statement_hints"))
    ):
        raise Unfiltered(f"SQL as text: {part}")


def _is_constant(literal: ColumnClause[Any]) -> bool:
    return _CONSTANT.fullmatch(literal.name) is not None


def _demand_owner(part: Insert | Update) -> None:
    values: dict[Any, object] = dict(part._values or {})
    owners = [value for name, value in values.items() if getattr(name, "key", name) == "user_id"]
    if isinstance(part, Update):
        if owners:
            raise Unfiltered(f"update of {part.table} changes user_id")
    elif len(owners) != 1 or owners[0] is not CALLER:
        raise Unfiltered(f"insert into {part.table} without user_id=CALLER")
    elif not isinstance(part._post_values_clause, OnConflictDoNothing | None):
        raise Unfiltered(
            f"insert into {part.table} with ON CONFLICT DO UPDATE, which may reach other rows"
        )
    elif getattr(part._post_values_clause, "inferred_target_elements", None):
        raise Unfiltered(f"insert into {part.table} with a conflict target, which may hold text")


def _demand_filter(part: Select[Any] | Update | Delete) -> None:
    for source in _sources(part):
        if isinstance(source, Subquery | CTE):
            continue  # its own parts are looked at
        if not isinstance(source, TableClause) or not any(
            _is_filter(condition, source) for condition in _conjuncts(part.whereclause)
        ):
            name = getattr(source, "description", source)
            raise Unfiltered(f"{part.__visit_name__} on {name} without user_id == CALLER")


def _sources(part: Select[Any] | Update | Delete) -> Iterator[object]:
    """What rows come from. An update or delete can read a table by merely naming its column."""
    if isinstance(part, Select):
        # get_final_froms(), which compiles the part only to have a compiler
        yield from part._compile_state_factory(part, _COMPILER)._get_display_froms()
    else:
        yield part.table
        for inner in visitors.iterate(part):
            if isinstance(inner, ColumnElement):
                yield from inner._from_objects


def _conjuncts(condition: ColumnElement[bool] | None) -> Iterator[object]:
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _conjuncts(clause)
    else:
        yield condition


def _is_filter(condition: object, table: FromClause) -> bool:
    return (
        "user_id" in table.c
        and isinstance(condition, BinaryExpression)
        and condition.operator is operators.eq
        and condition.left.compare(table.c.user_id)
        and condition.right is CALLER
    )
