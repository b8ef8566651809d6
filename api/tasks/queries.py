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
    bindparam,
    cast,
    func,
    literal_column,
)
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import col, delete, select, update

from api.database import json_rows, keyset, personal_rows
from api.database.keyset import Keyset, Start
from api.database.resource import Resource
from api.database.statement import Statement
from api.tasks.models import Task
from api.tasks.schemas import Sort, TaskCreate, TaskRead, TaskUpdate

TASK: Final = Resource(
    Task,
    read=TaskRead.model_fields,
    created=TaskCreate.model_fields,
    changed=TaskUpdate.__annotations__,
)
GET: Final = TASK.get
CREATE: Final = TASK.create
UPDATE: Final = TASK.update
DELETE: Final = TASK.delete

COMPLETED: Final = bindparam("completed", type_=Boolean)
# NULL toggles.
COMPLETE: Final = TASK.one(
    update(Task)
    .where(TASK.mine, TASK.this, TASK.unchanged)
    .values(completed=func.coalesce(COMPLETED, ~col(Task.completed)))
    .returning(*TASK.stored)
)

_GONE: Final = (
    delete(Task).where(TASK.mine, col(Task.completed)).returning(col(Task.id)).cte("gone")
)
DELETE_COMPLETED: Final = Statement(select(func.count().label("deleted")).select_from(_GONE))

# --- lists ---

# Tasks in a page that may be as long as they like: as JSON, six million bytes all together.
SHORT_PAGE: Final = 100

LIMIT: Final = bindparam("limit", type_=BigInteger)
OFFSET: Final = bindparam("offset", type_=BigInteger)
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
def tasks(sort: Sort, filters: frozenset[str], start: Start, long: bool = False) -> Statement:
    """A page: tasks as `lines` of JSON, and whether it `has_previous` tasks.

    Before a task, the list is the other way round. There is a line more than the page has if there
    is a next page. A `long` page, of more than SHORT_PAGE tasks, is one of MAX_PAGE_BYTES, too; its
    last line may lie beyond.
    """
    place = Keyset.of(getattr(Task, sort.column), col(Task.id), descending=sort.startswith("-"))
    if start.startswith("before"):
        place = place.reversed()
    wanted = [TASK.mine, *_wanted(filters)]
    one_more = LIMIT + literal_column("1")
    rows: Any = keyset.rows(TASK.read, wanted, place, start, one_more, OFFSET)
    if long:
        rows = json_rows.within_bytes(rows)
    has_previous = (
        literal_column("0") < OFFSET
        if start == "top"
        else keyset.has_rows_before(wanted, place, start)
    )
    return Statement(
        select(json_rows.of(rows), has_previous.label("has_previous")).select_from(rows)
    )


def page(sort: Sort, filters: frozenset[str], start: Start, limit: int) -> Statement:
    """The statement for a page of so many `tasks` at most."""
    return tasks(sort, filters, start, limit > SHORT_PAGE)


@lru_cache(None)
def count(filters: frozenset[str]) -> Statement:
    """How many tasks there are in the whole list."""
    wanted = _wanted(filters)
    return Statement(
        select(func.count().label("total")).select_from(Task).where(TASK.mine, *wanted)
    )


# The usual ones, so that a fault of theirs shows at import.
count(frozenset())
_STARTS: Final[tuple[Start, ...]] = ("top", "after")
for _start in _STARTS:
    for _long in (False, True):
        tasks(Sort.NEWEST, frozenset(), _start, _long)

# --- all that is kept of a person, for the operator ---

# A task has 40 kB at most.
PERSONAL_ROWS: Final = personal_rows.of(
    Task, "task", TASK.read, TASK.mine, col(Task.id), first=-(2**63), batch=1000
)
EXPORT_TASKS: Final = PERSONAL_ROWS.export
ERASE_TASKS: Final = PERSONAL_ROWS.erase
