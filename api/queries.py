"""Every statement. Each says whose rows it is about, whatever the policies say.

Those on tasks answer with the response body, as JSON made by PostgreSQL in the column `body`;
those on several, with a line of it for each in the column `lines`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    Interval,
    SmallInteger,
    Text,
    all_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.expression import CTE, ColumnElement, Label
from sqlmodel import case, col, delete, insert, select, update

from api.models import IdempotencyKey, Task
from api.schemas import Sort
from api.statement import CALLER, Statement

ID: Final = bindparam("id", type_=BigInteger)
TITLE: Final = bindparam("title", type_=Text)
DESCRIPTION: Final = bindparam("description", type_=Text)
HAS_DESCRIPTION: Final = bindparam("has_description", type_=Boolean)
COMPLETED: Final = bindparam("completed", type_=Boolean)
VERSIONS: Final = bindparam("versions", type_=ARRAY(BigInteger))

_MINE: Final = col(Task.user_id) == CALLER
_THIS: Final = col(Task.id) == ID
# NULL: whichever it is.
_UNCHANGED: Final = or_(VERSIONS.is_(None), col(Task.version) == any_(VERSIONS))


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


# What a statement on one task knows besides.
_STORED: Final = (*_TASK, col(Task.version))


def _json(rows: Any) -> ColumnElement[str]:
    return cast(func.row_to_json(rows.table_valued()), Text)


def _lines(rows: Any) -> Label[str]:
    # Putting them together as JSON takes PostgreSQL longer than all the rest.
    return func.string_agg(_json(rows), literal_column("'\n'")).label("lines")


def lines(row: Mapping[str, Any]) -> list[str]:
    """What `lines` of JSON there are in the row of such a statement."""
    return row["lines"].split("\n") if row["lines"] else []


def _one(rows: CTE) -> Statement:
    shown = select(*(rows.c[column.key] for column in _TASK)).subquery("shown")
    return Statement(
        select(_json(shown).label("body"), rows.c.id, rows.c.version).select_from(shown, rows)
    )


# --- lists ---

LIMIT: Final = bindparam("limit", type_=BigInteger)
OFFSET: Final = bindparam("offset", type_=BigInteger)
AT_ID: Final = bindparam("at_id", type_=BigInteger)
WORDS: Final = bindparam("words", type_=ARRAY(Text))


def _moment(name: str) -> Any:
    return bindparam(name, type_=DateTime(timezone=True))


_TEXT: Final = (
    col(Task.title)
    + literal_column("' '")
    + func.coalesce(col(Task.description), literal_column("''"))
)
# By the name of the parameter.
FILTERS: Final[dict[str, ColumnElement[bool]]] = {
    "completed": col(Task.completed) == COMPLETED,
    "created_after": col(Task.created_at) > _moment("created_after"),
    "created_before": col(Task.created_at) < _moment("created_before"),
    "updated_after": col(Task.updated_at) > _moment("updated_after"),
    "updated_before": col(Task.updated_at) < _moment("updated_before"),
    # ILIKE would put the text in lower case once for each word.
    "words": func.lower(_TEXT).like(all_(cast(func.lower(cast(WORDS, Text)), ARRAY(Text)))),
}


def _wanted(filters: frozenset[str]) -> list[ColumnElement[bool]]:
    return [FILTERS[name] for name in sorted(filters)]


@lru_cache(None)  # there are as many as there are ways to ask
def tasks(sort: Sort, filters: frozenset[str], start: str) -> Statement:
    """A page: tasks as `lines` of JSON, and whether something is `behind`.

    It starts at the `top`, `after` a task, or `before` one; then the list is the other way round.
    There is a line more than asked for if there is a next page.
    """
    column: Any = getattr(Task, sort.column)
    descending = sort.startswith("-") != (start == "before")
    place = tuple_(column, col(Task.id))
    at = tuple_(bindparam("at", type_=column.type), AT_ID)
    wanted = _wanted(filters)
    passed, ahead = (place >= at, place < at) if descending else (place <= at, place > at)
    rows = (
        select(*_TASK)
        .where(_MINE, *wanted, *([] if start == "top" else [ahead]))
        .order_by(*(c.desc() if descending else c.asc() for c in (column, col(Task.id))))
        .limit(LIMIT + literal_column("1"))
        .offset(OFFSET)
        .subquery("rows")
    )
    behind: ColumnElement[bool] = literal_column("0") < OFFSET
    if start != "top":
        behind = select(literal_column("1")).where(_MINE, *wanted, passed).exists()
    return Statement(select(_lines(rows), behind.label("behind")).select_from(rows))


@lru_cache(None)
def count(filters: frozenset[str]) -> Statement:
    """How many tasks there are in the whole list."""
    wanted = _wanted(filters)
    return Statement(select(func.count().label("total")).select_from(Task).where(_MINE, *wanted))


# The usual ones, so that a fault of theirs shows at import.
count(frozenset())
for _start in ("top", "after"):
    tasks(Sort.NEWEST, frozenset(), _start)

# --- one task ---

GET: Final = _one(select(*_STORED).where(_MINE, _THIS).cte("one"))

CREATE: Final = _one(
    insert(Task)
    .values(user_id=CALLER, title=TITLE, description=DESCRIPTION, completed=COMPLETED)
    .returning(*_STORED)
    .cte("one")
)

# NULL keeps what is there; only a description can be NULL itself, so it is told apart by a flag.
UPDATE: Final = _one(
    update(Task)
    .where(_MINE, _THIS, _UNCHANGED)
    .values(
        title=func.coalesce(TITLE, col(Task.title)),
        description=case((HAS_DESCRIPTION, DESCRIPTION), else_=col(Task.description)),
        completed=func.coalesce(COMPLETED, col(Task.completed)),
    )
    .returning(*_STORED)
    .cte("one")
)

# NULL toggles.
COMPLETE: Final = _one(
    update(Task)
    .where(_MINE, _THIS, _UNCHANGED)
    .values(completed=func.coalesce(COMPLETED, ~col(Task.completed)))
    .returning(*_STORED)
    .cte("one")
)

DELETE: Final = Statement(delete(Task).where(_MINE, _THIS, _UNCHANGED).returning(col(Task.id)))

_GONE: Final = delete(Task).where(_MINE, col(Task.completed)).returning(col(Task.id)).cte("gone")
DELETE_COMPLETED: Final = Statement(select(func.count().label("deleted")).select_from(_GONE))

# --- what was sent with an Idempotency-Key ---

KEY: Final = bindparam("key", type_=Text)
_MY_KEY: Final = col(IdempotencyKey.user_id) == CALLER
_THIS_KEY: Final = col(IdempotencyKey.key) == KEY

FORGET_KEYS: Final = Statement(
    delete(IdempotencyKey)
    .where(
        _MY_KEY,
        col(IdempotencyKey.created_at) < func.now() - bindparam("age", type_=Interval),
    )
    .returning(col(IdempotencyKey.key))
)

# No row: the caller has used it already.
CLAIM_KEY: Final = Statement(
    upsert(IdempotencyKey)
    .values(user_id=CALLER, key=KEY, fingerprint=bindparam("fingerprint", type_=Text))
    .on_conflict_do_nothing()
    .returning(col(IdempotencyKey.key))
)

KEEP_ANSWER: Final = Statement(
    update(IdempotencyKey)
    .where(_MY_KEY, _THIS_KEY)
    .values(
        status=bindparam("status", type_=SmallInteger),
        headers=bindparam("headers", type_=Text),
        body=bindparam("body", type_=Text),
    )
    .returning(col(IdempotencyKey.key))
)

KEPT_ANSWER: Final = Statement(
    select(
        col(IdempotencyKey.fingerprint),
        col(IdempotencyKey.status),
        col(IdempotencyKey.headers),
        col(IdempotencyKey.body),
    ).where(_MY_KEY, _THIS_KEY)
)

# --- all that is kept of a person, for the operator ---

AFTER_ID: Final = bindparam("after", type_=BigInteger)
AFTER_KEY: Final = bindparam("after", type_=Text)


def _export(columns: Any, mine: ColumnElement[bool], place: Any, after: Any) -> Statement:
    """The next rows `after` a place: as lines of JSON, and where the `last` of them is."""
    rows = select(*columns).where(mine, place > after).order_by(place).limit(LIMIT).subquery("rows")
    return Statement(
        select(_lines(rows), func.max(rows.c[place.key]).label("last")).select_from(rows)
    )


EXPORT_TASKS: Final = _export(_TASK, _MINE, col(Task.id), AFTER_ID)
EXPORT_KEPT_ANSWERS: Final = _export(
    (
        col(IdempotencyKey.key),
        col(IdempotencyKey.fingerprint),
        col(IdempotencyKey.status),
        col(IdempotencyKey.headers),
        col(IdempotencyKey.body),
        _date(col(IdempotencyKey.created_at)),
    ),
    _MY_KEY,
    col(IdempotencyKey.key),
    AFTER_KEY,
)


def _erase(table: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """Some rows: how many were `found`, and `erased`. Those that others erased first are not."""
    some = select(place).where(mine).order_by(place).limit(LIMIT).cte("some")
    found = select(some.c[place.key])
    gone = delete(table).where(mine, place.in_(found)).returning(place).cte("gone")
    return Statement(
        select(
            select(func.count()).select_from(some).scalar_subquery().label("found"),
            select(func.count()).select_from(gone).scalar_subquery().label("erased"),
        )
    )


ERASE_TASKS: Final = _erase(Task, _MINE, col(Task.id))
ERASE_KEPT_ANSWERS: Final = _erase(IdempotencyKey, _MY_KEY, col(IdempotencyKey.key))
