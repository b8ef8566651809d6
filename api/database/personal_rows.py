"""Statements that count, export and erase a user's rows of a table, the latter two in pages."""

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, func
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import delete, select

from api.database import json_rows
from api.database.statement import Statement

_LIMIT: Final = bindparam("limit", type_=BigInteger)


class PersonalRows(NamedTuple):
    """The count, export and erasure of a table.

    `name`: of a row, as printed; `first`: before all rows.
    """

    table: str
    name: str
    total: Statement
    export: Statement
    erase: Statement
    first: int | str
    batch: int


def _total(table: Any, mine: ColumnElement[bool]) -> Statement:
    return Statement(select(func.count().label("number")).select_from(table).where(mine))


def _export(columns: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """A page of rows `after` a position: as lines of JSON, and the position of the `last` one."""
    after = bindparam("after", type_=place.type)
    page = (
        select(*columns).where(mine, place > after).order_by(place).limit(_LIMIT).subquery("page")
    )
    rows = json_rows.within_bytes(page)
    return Statement(
        select(json_rows.of(rows), func.max(rows.c[place.key]).label("last")).select_from(rows)
    )


def _erase(table: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """Delete some rows: how many were `found`, and `erased`, which others had not erased yet."""
    some = select(place).where(mine).order_by(place).limit(_LIMIT).cte("some")
    last = select(func.max(some.c[place.key])).scalar_subquery()
    gone = delete(table).where(mine, place <= last).returning(place).cte("gone")
    return Statement(
        select(
            select(func.count()).select_from(some).scalar_subquery().label("found"),
            select(func.count()).select_from(gone).scalar_subquery().label("erased"),
        )
    )


def of(
    table: Any,
    name: str,
    columns: Any,
    mine: ColumnElement[bool],
    place: Any,
    *,
    first: int | str,
    batch: int,
) -> PersonalRows:
    """The count, export and erasure of these `columns` of a table, ordered by `place`.

    `place`: a column that is unique among a user's rows. `name`: of a row, as printed. `first`:
    sorts before all places. `batch`: rows erased at once; few enough to take far less than the
    role's statement_timeout, however long they are.
    """
    return PersonalRows(
        table.__table__.name,
        name,
        _total(table, mine),
        _export(columns, mine, place),
        _erase(table, mine, place),
        first,
        batch,
    )
