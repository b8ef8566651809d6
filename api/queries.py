"""Every statement on `task`. Each says whose tasks it is about, whatever the policies say.

A statement answers with the response body, as JSON made by PostgreSQL in the column `body`.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Integer, Text, bindparam, cast, func, literal_column
from sqlalchemy.sql.expression import CTE, ColumnElement, Label
from sqlmodel import case, col, delete, insert, select, update

from api.models import Task
from api.statement import CALLER, Statement

ID: Final = bindparam("id", type_=BigInteger)
LIMIT: Final = bindparam("limit", type_=BigInteger)
OFFSET: Final = bindparam("offset", type_=BigInteger)
TITLE: Final = bindparam("title", type_=Text)
DESCRIPTION: Final = bindparam("description", type_=Text)
HAS_DESCRIPTION: Final = bindparam("has_description", type_=Boolean)
COMPLETED: Final = bindparam("completed", type_=Boolean)

_MINE: Final = col(Task.user_id) == CALLER
_THIS: Final = col(Task.id) == ID


def _date(column: Any) -> Label[str]:
    # RFC 3339 in UTC, always with six digits, so that dates sort as text.
    utc = func.timezone(literal_column("'UTC'"), column)
    digits: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
    return func.to_char(utc, digits).label(column.key)


# What travels, in this order (`schemas.TaskRead`).
_TASK: Final[tuple[Any, ...]] = (
    col(Task.id),
    col(Task.user_id),
    col(Task.title),
    col(Task.description),
    col(Task.completed),
    _date(col(Task.created_at)),
    _date(col(Task.updated_at)),
)


def _body(rows: Any) -> ColumnElement[str]:
    return cast(func.row_to_json(rows.table_valued()), Text).label("body")


def _one(rows: CTE) -> Statement:
    return Statement(select(_body(rows), rows.c.id))


def _list(*conditions: ColumnElement[bool]) -> Statement:
    # One row more than asked for tells whether there is a next page.
    rows = (
        select(*_TASK)
        .where(_MINE, *conditions)
        .order_by(col(Task.id).desc())
        .limit(LIMIT + literal_column("1"))
        .offset(OFFSET)
        .subquery("rows")
    )
    more = func.count() > LIMIT
    objects = func.array_agg(func.row_to_json(rows.table_valued()))
    page = func.trim_array(objects, cast(more, Integer))
    body = func.coalesce(cast(func.array_to_json(page), Text), literal_column("'[]'"))
    return Statement(select(body.label("body"), more.label("more")).select_from(rows))


LIST: Final = _list()
LIST_BY_COMPLETED: Final = _list(col(Task.completed) == COMPLETED)

GET: Final = _one(select(*_TASK).where(_MINE, _THIS).cte("one"))

CREATE: Final = _one(
    insert(Task)
    .values(user_id=CALLER, title=TITLE, description=DESCRIPTION, completed=COMPLETED)
    .returning(*_TASK)
    .cte("one")
)

# NULL keeps what is there; only a description can be NULL itself, so it is told apart by a flag.
UPDATE: Final = _one(
    update(Task)
    .where(_MINE, _THIS)
    .values(
        title=func.coalesce(TITLE, col(Task.title)),
        description=case((HAS_DESCRIPTION, DESCRIPTION), else_=col(Task.description)),
        completed=func.coalesce(COMPLETED, col(Task.completed)),
    )
    .returning(*_TASK)
    .cte("one")
)

# NULL toggles.
COMPLETE: Final = _one(
    update(Task)
    .where(_MINE, _THIS)
    .values(completed=func.coalesce(COMPLETED, ~col(Task.completed)))
    .returning(*_TASK)
    .cte("one")
)

DELETE: Final = Statement(delete(Task).where(_MINE, _THIS).returning(col(Task.id)))
