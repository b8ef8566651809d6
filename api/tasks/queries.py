"""SQL statements on tasks. Each filters by the caller, whatever the row security policies say.

Statements on one task return the response body, as JSON made by PostgreSQL, in the column `body`;
those on several return a line of JSON for each in the column `lines`.
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
    func,
    literal_column,
)
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import col, delete, select, update

from api.database import json_rows, keyset, personal_rows
from api.database.keyset import Keyset, Start
from api.database.resource import Resource
from api.database.statement import Statement
from api.tasks import schemas
from api.tasks.models import Task
from api.tasks.schemas import Sort, TaskChanges, TaskCreate

TASK: Final = Resource(
    Task,
    read=schemas.Task.model_fields,
    created=TaskCreate.model_fields,
    changed=TaskChanges.__annotations__,
)
GET: Final = TASK.get
CREATE: Final = TASK.create
UPDATE: Final = TASK.update
UPDATE_WHOLE: Final = TASK.update_whole
DELETE: Final = TASK.delete

COMPLETED: Final = bindparam("completed", type_=Boolean)
# `completed`: NULL toggles.
COMPLETE: Final = TASK.one(
    update(Task)
    .where(TASK.mine, TASK.this, TASK.unchanged)
    .values(completed=func.coalesce(COMPLETED, ~col(Task.completed)))
    .returning(*TASK.read)
)

_DELETED: Final = (
    delete(Task).where(TASK.mine, col(Task.completed)).returning(col(Task.id)).cte("gone")
)
DELETE_COMPLETED: Final = Statement(select(func.count().label("deleted")).select_from(_DELETED))

# --- lists ---

# Tasks in a page whose bytes need no limit: at most six million, as JSON.
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
# Filter conditions, by parameter name.
FILTERS: Final[dict[str, ColumnElement[bool]]] = {
    "completed": col(Task.completed) == COMPLETED,
    "created_after": col(Task.created_at) > _moment("created_after"),
    "created_before": col(Task.created_at) < _moment("created_before"),
    "updated_after": col(Task.updated_at) > _moment("updated_after"),
    "updated_before": col(Task.updated_at) < _moment("updated_before"),
    "words": _TEXT.regexp_match(all_(WORDS)),  # patterns of `case_folding`
}


def _wanted(filters: frozenset[str]) -> list[ColumnElement[bool]]:
    return [FILTERS[name] for name in sorted(filters)]


@lru_cache(None)  # bounded by the combinations of parameters
def tasks(sort: Sort, filters: frozenset[str], start: Start, long: bool = False) -> Statement:
    """The statement for a page: tasks as `lines` of JSON, and whether it `has_previous` tasks.

    A page before a task is in reverse order. There is one line more than the limit if there is a
    next page. A `long` page, of more than SHORT_PAGE tasks, also ends at MAX_PAGE_BYTES; its last
    line may exceed that.
    """
    order = Keyset.of(getattr(Task, sort.column), col(Task.id), descending=sort.startswith("-"))
    if start.startswith("before"):
        order = order.reversed()
    wanted = [TASK.mine, *_wanted(filters)]
    one_more = LIMIT + literal_column("1")
    rows: Any = keyset.rows(TASK.read, wanted, order, start, one_more, OFFSET)
    if long:
        rows = json_rows.within_bytes(rows)
    has_previous = (
        literal_column("0") < OFFSET
        if start == "top"
        else keyset.has_rows_before(wanted, order, start)
    )
    return Statement(
        select(json_rows.of(rows), has_previous.label("has_previous")).select_from(rows)
    )


def page(sort: Sort, filters: frozenset[str], start: Start, limit: int) -> Statement:
    """The statement for a page of at most `limit` tasks."""
    return tasks(sort, filters, start, limit > SHORT_PAGE)


@lru_cache(None)
def count(filters: frozenset[str]) -> Statement:
    """The statement that counts the tasks of the whole list."""
    wanted = _wanted(filters)
    return Statement(
        select(func.count().label("total")).select_from(Task).where(TASK.mine, *wanted)
    )


# Compile the most common ones at import, to detect errors in them.
count(frozenset())
_STARTS: Final[tuple[Start, ...]] = ("top", "after")
for _start in _STARTS:
    for _long in (False, True):
        tasks(Sort.NEWEST, frozenset(), _start, _long)

# --- all rows of a user, for `task-api export` and `erase` ---

# A task has 40 kB at most.
PERSONAL_ROWS: Final = personal_rows.of(
    Task, "task", TASK.read, TASK.mine, col(Task.id), first=-(2**63), batch=1000
)
EXPORT_TASKS: Final = PERSONAL_ROWS.export
COUNT_TASKS: Final = PERSONAL_ROWS.total
ERASE_TASKS: Final = PERSONAL_ROWS.erase
