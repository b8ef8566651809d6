"""Every statement. Each says whose rows it is about, whatever the policies say.

Those on tasks answer with the response body, as JSON made by PostgreSQL in the column `body`;
those on several, with a line of it for each in the column `lines`.
"""

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
from sqlalchemy.sql.expression import CTE, ColumnElement
from sqlmodel import case, col, delete, insert, select, update

from api import lines
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


# What travels, in this order (`schemas.TaskRead`).
_TASK: Final[tuple[Any, ...]] = (
    col(Task.id),
    col(Task.user_id),
    col(Task.title),
    col(Task.description),
    col(Task.completed),
    lines.date(col(Task.created_at)),
    lines.date(col(Task.updated_at)),
)


# What a statement on one task knows besides.
_STORED: Final = (*_TASK, col(Task.version))


def _one(rows: CTE) -> Statement:
    shown = select(*(rows.c[column.key] for column in _TASK)).subquery("shown")
    return Statement(
        select(lines.json(shown).label("body"), rows.c.id, rows.c.version).select_from(shown, rows)
    )


# --- lists ---

# Tasks in a page that may be as long as they like: as JSON, six million bytes all together.
SHORT_PAGE: Final = 100

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
    # Regular expressions, each a literal: PostgreSQL's automaton looks at a character once, where
    # LIKE and strpos go back, so that their time is that of the text times the length of the word.
    "words": func.lower(_TEXT).regexp_match(all_(cast(func.lower(cast(WORDS, Text)), ARRAY(Text)))),
}


def _wanted(filters: frozenset[str]) -> list[ColumnElement[bool]]:
    return [FILTERS[name] for name in sorted(filters)]


@lru_cache(None)  # there are as many as there are ways to ask
def tasks(sort: Sort, filters: frozenset[str], start: str, *, long: bool = False) -> Statement:
    """A page: tasks as `lines` of JSON, and whether something is `behind`.

    It starts at the `top`, `after` a task, or `before` one; then the list is the other way round.
    There is a line more than the page has if there is a next page. A `long` page, of more than
    SHORT_PAGE tasks, is one of MAX_PAGE_BYTES, too; its last line may lie beyond.
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
    if long:
        rows = lines.within_bytes(rows, rows.c.title, rows.c.description)
    behind: ColumnElement[bool] = literal_column("0") < OFFSET
    if start != "top":
        behind = select(literal_column("1")).where(_MINE, *wanted, passed).exists()
    return Statement(select(lines.of(rows), behind.label("behind")).select_from(rows))


def page(sort: Sort, filters: frozenset[str], start: str, limit: int) -> Statement:
    """The statement for a page of so many `tasks` at most."""
    return tasks(sort, filters, start, long=limit > SHORT_PAGE)


@lru_cache(None)
def count(filters: frozenset[str]) -> Statement:
    """How many tasks there are in the whole list."""
    wanted = _wanted(filters)
    return Statement(select(func.count().label("total")).select_from(Task).where(_MINE, *wanted))


# The usual ones, so that a fault of theirs shows at import.
count(frozenset())
for _start in ("top", "after"):
    for _long in (False, True):
        tasks(Sort.NEWEST, frozenset(), _start, long=_long)

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

_AGE: Final = bindparam("age", type_=Interval)

# Less those that another request is about to delete.
EXPIRED_KEYS: Final = Statement(
    select(col(IdempotencyKey.key))
    .where(_MY_KEY, col(IdempotencyKey.created_at) < func.now() - _AGE)
    .order_by(col(IdempotencyKey.created_at))
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)

# An index of keys leads to this one, whatever PostgreSQL expects; none of dates can.
_HAS_EXPIRED: Final = col(IdempotencyKey.created_at) + _AGE < func.now()

FORGET_KEY: Final = Statement(
    delete(IdempotencyKey)
    .where(_MY_KEY, _THIS_KEY, _HAS_EXPIRED)
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
    ).where(_MY_KEY, _THIS_KEY, ~_HAS_EXPIRED)
)

# --- all that is kept of a person, for the operator ---

AFTER_ID: Final = bindparam("after", type_=BigInteger)
AFTER_KEY: Final = bindparam("after", type_=Text)


_LONG: Final = {"title", "description", "body"}


def _export(columns: Any, mine: ColumnElement[bool], place: Any, after: Any) -> Statement:
    """A page of rows `after` a place: as lines of JSON, and where the `last` of them is."""
    page = select(*columns).where(mine, place > after).order_by(place).limit(LIMIT).subquery("page")
    rows = lines.within_bytes(page, *(column for column in page.c if column.key in _LONG))
    return Statement(
        select(lines.of(rows), func.max(rows.c[place.key]).label("last")).select_from(rows)
    )


EXPORT_TASKS: Final = _export(_TASK, _MINE, col(Task.id), AFTER_ID)
EXPORT_KEPT_ANSWERS: Final = _export(
    (
        col(IdempotencyKey.key),
        col(IdempotencyKey.fingerprint),
        col(IdempotencyKey.status),
        col(IdempotencyKey.headers),
        col(IdempotencyKey.body),
        lines.date(col(IdempotencyKey.created_at)),
    ),
    _MY_KEY,
    col(IdempotencyKey.key),
    AFTER_KEY,
)


def _erase(table: Any, mine: ColumnElement[bool], place: Any) -> Statement:
    """Some rows: how many were `found`, and `erased`. Those that others erased first are not."""
    some = select(place).where(mine).order_by(place).limit(LIMIT).cte("some")
    last = select(func.max(some.c[place.key])).scalar_subquery()
    gone = delete(table).where(mine, place <= last).returning(place).cte("gone")
    return Statement(
        select(
            select(func.count()).select_from(some).scalar_subquery().label("found"),
            select(func.count()).select_from(gone).scalar_subquery().label("erased"),
        )
    )


ERASE_TASKS: Final = _erase(Task, _MINE, col(Task.id))
ERASE_KEPT_ANSWERS: Final = _erase(IdempotencyKey, _MY_KEY, col(IdempotencyKey.key))
