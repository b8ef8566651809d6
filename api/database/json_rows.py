"""Rows as lines of JSON, which PostgreSQL makes and Python carries."""

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any, Final

from sqlalchemy import String, Text, cast, func, literal_column
from sqlalchemy.sql.expression import ColumnElement, Label
from sqlmodel import select

MAX_PAGE_BYTES: Final = 1024 * 1024  # of JSON, at about which a page ends


def date(column: Any) -> Label[str]:
    """RFC 3339 in UTC, always with six digits, so that dates sort as text."""
    utc = func.timezone(literal_column("'UTC'"), column)
    digits: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
    return func.to_char(utc, digits).label(column.key)


def json(rows: Any) -> ColumnElement[str]:
    """Each of them, with its columns as members."""
    return cast(func.row_to_json(rows.table_valued()), Text)


def of(rows: Any) -> Label[str]:
    """All of them, a line each, as a column `lines`.

    Putting them together as JSON takes PostgreSQL longer than all the rest.
    """
    return func.string_agg(json(rows), literal_column("'\n'")).label("lines")


def split(row: Mapping[str, Any]) -> list[str]:
    """Those in the row of a statement that has such a column."""
    return row["lines"].split("\n") if row["lines"] else []


def within_bytes(page: Any) -> Any:
    """The first rows of the page, whose texts are MAX_PAGE_BYTES and the last row at most.

    As JSON they may be six times that. What a text has of bytes is known without reading it. The
    owner, who is the same in each row and short, does not count.
    """
    texts = [
        column for column in page.c if isinstance(column.type, String) and column.key != "user_id"
    ]
    if not texts:
        return page
    sizes = (func.coalesce(func.octet_length(text), literal_column("0")) for text in texts)
    size = reduce(add, sizes)
    # of what comes before a row, so that there is always one
    before = (func.sum(size).over(rows=(None, 0)) - size).label("before")
    columns: list[Any] = [*page.c, before]
    sized = select(*columns).subquery("sized")
    shown: list[Any] = [sized.c[column.key] for column in columns[:-1]]
    bound: ColumnElement[int] = literal_column(str(MAX_PAGE_BYTES))
    return select(*shown).where(sized.c.before < bound).subquery("rows")
