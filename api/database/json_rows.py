"""Rows as lines of JSON, built by PostgreSQL and passed on by Python."""

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any, Final

from sqlalchemy import ARRAY, String, Text, cast, func, literal_column
from sqlalchemy.sql.expression import ColumnElement, Label
from sqlmodel import case, select

MAX_PAGE_BYTES: Final = 1024 * 1024  # of JSON; a page ends at about this size


def date(column: Any) -> Label[str]:
    """A date as text: RFC 3339 in UTC, always with six digits, so that it sorts as text."""
    utc = func.timezone(literal_column("'UTC'"), column)
    digits: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
    return func.to_char(utc, digits).label(column.key)


def time(column: Any) -> Label[str]:
    """A time of day as text: `09:30`."""
    digits: ColumnElement[str] = literal_column("'HH24:MI'")
    return func.to_char(column, digits).label(column.key)


def named(column: Any, names: Mapping[int, str]) -> Label[str]:
    """The names of numbers; NULL where the column is NULL."""
    cases: Iterator[Any] = (
        (column == literal_column(str(number)), literal_column(f"'{name}'"))
        for number, name in names.items()
    )
    return case(*cases).label(column.key)


def json(rows: Any) -> ColumnElement[str]:
    """Each row as a JSON object of its columns."""
    return cast(func.row_to_json(rows.table_valued()), Text)


def of(rows: Any) -> Label[str]:
    """All rows as JSON, one per line, in a column `lines`.

    Making an array of them takes PostgreSQL longer than the rest of the statement.
    """
    return func.string_agg(json(rows), literal_column("'\n'")).label("lines")


def split(row: Mapping[str, Any]) -> list[str]:
    """The JSON of each row, from the column `lines` of a statement's row."""
    return row["lines"].split("\n") if row["lines"] else []


def within_bytes(page: Any) -> Any:
    """The first rows of a page, up to the one whose texts reach MAX_PAGE_BYTES in total.

    As JSON they may be six times that. PostgreSQL knows the size of a text without reading it. The
    owner does not count: it is short, and the same in each row.
    """
    texts = [
        cast(column, Text) if isinstance(column.type, ARRAY) else column
        for column in page.c
        if isinstance(column.type, (ARRAY, String)) and column.key != "user_id"
    ]
    if not texts:
        return page
    sizes = (func.coalesce(func.octet_length(text), literal_column("0")) for text in texts)
    size = reduce(add, sizes)
    # bytes of the rows before, so that the first row is always included
    before = (func.sum(size).over(rows=(None, 0)) - size).label("before")
    columns: list[Any] = [*page.c, before]
    sized = select(*columns).subquery("sized")
    shown: list[Any] = [sized.c[column.key] for column in columns[:-1]]
    bound: ColumnElement[int] = literal_column(str(MAX_PAGE_BYTES))
    return select(*shown).where(sized.c.before < bound).subquery("rows")
