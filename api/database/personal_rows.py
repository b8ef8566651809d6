"""What a table keeps of a person, page by page: statements that export it, and that erase it."""

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, func
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import delete, select

from api.database import json_rows
from api.database.statement import Statement

_LIMIT: Final = bindparam("limit", type_=BigInteger)


class PersonalRows(NamedTuple):
    """The rows of a table, by the name that is printed; `first` is before them all."""

    table: str
    name: str
    export: Statement
    erase: Statement
    first: int | str
    batch: int


def _export(columns: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """A page of rows `after` a place: as lines of JSON, and where the `last` of them is."""
    after = bindparam("after", type_=place.type)
    page = (
        select(*columns).where(mine, place > after).order_by(place).limit(_LIMIT).subquery("page")
    )
    rows = json_rows.within_bytes(page)
    return Statement(
        select(json_rows.of(rows), func.max(rows.c[place.key]).label("last")).select_from(rows)
    )


def _erase(table: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """Some rows: how many were `found`, and `erased`. Those that others erased first are not."""
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
    """Those `columns` of a table, in the order of `place`, which is unique among one person's.

    `name`: of one row, as it is printed. `first`: before all places. `batch`: so many are erased at
    once that it takes far less than the role's statement_timeout, however long they are.
    """
    return PersonalRows(
        table.__table__.name,
        name,
        _export(columns, mine, place),
        _erase(table, mine, place),
        first,
        batch,
    )
