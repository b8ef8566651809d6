"""Every statement on tasks. Each says whose rows it is about, whatever the policies say.

Those on one answer with the response body, as JSON made by PostgreSQL in the column `body`; those
on several, with a line of it for each in the column `lines`.
"""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
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
from sqlalchemy.sql.expression import CTE, ColumnElement
from sqlmodel import case, col, delete, insert, select, update

from api.database import json_rows, personal_rows
from api.database.statement import CALLER, Statement
from api.tasks.models import Task
from api.tasks.schemas import Sort

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
    json_rows.date(col(Task.created_at)),
    json_rows.date(col(Task.updated_at)),
)


# What a statement on one task knows besides.
_STORED: Final = (*_TASK, col(Task.version))


def _one(rows: CTE) -> Statement:
    shown = select(*(rows.c[column.key] for column in _TASK)).subquery("shown")
    return Statement(
        select(json_rows.json(shown).label("body"), rows.c.id, rows.c.version).select_from(
            shown, rows
        )
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
def tasks(sort: Sort, filters: frozenset[str], start: str, long: bool = False) -> Statement:
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
        rows = json_rows.within_bytes(rows, rows.c.title, rows.c.description)
    behind: ColumnElement[bool] = literal_column("0") < OFFSET
    if start != "top":
        behind = select(literal_column("1")).where(_MINE, *wanted, passed).exists()
    return Statement(select(json_rows.of(rows), behind.label("behind")).select_from(rows))


def page(sort: Sort, filters: frozenset[str], start: str, limit: int) -> Statement:
    """The statement for a page of so many `tasks` at most."""
    return tasks(sort, filters, start, limit > SHORT_PAGE)


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

# --- all that is kept of a person, for the operator ---

# A task has 40 kB at most.
PERSONAL_ROWS: Final = personal_rows.of(
    Task, "task", _TASK, _MINE, col(Task.id), first=-(2**63), batch=1000
)
EXPORT_TASKS: Final = PERSONAL_ROWS.export
ERASE_TASKS: Final = PERSONAL_ROWS.erase
