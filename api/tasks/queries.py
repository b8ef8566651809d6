"""SQL statements on tasks. Each filters by the caller, whatever the row security policies say.

Statements on one task return the response body, as JSON made by PostgreSQL, in the column `body`;
those on several return a line of JSON for each in the column `lines`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Date,
    Text,
    Uuid,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    null,
    or_,
    true,
    union_all,
)
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import case, col, delete, select, update

from api.database import json_rows, keyset, personal_rows
from api.database.keyset import Keyset, Start
from api.database.resource import OfValues, Resource
from api.database.statement import Statement
from api.sync import queries as sync
from api.sync.models import SyncHead, TaskTombstone
from api.tasks import schemas
from api.tasks.filters import FILTERS as FILTERS
from api.tasks.filters import Wanted
from api.tasks.lists import Sort
from api.tasks.members import NEEDS, UNTIL
from api.tasks.models import Task
from api.tasks.schemas import TaskChanges, TaskCreate

_UNTIL: Final[ColumnElement[str]] = literal_column("'UNTIL='")


def _ends_too_early(new: Mapping[str, Any]) -> ColumnElement[bool]:
    """Whether the rule ends before the due date. UNTIL is its last part."""
    until = cast(func.right(new["repeat"], literal_column("8")), Date)
    return case((new["repeat"].regexp_match(_UNTIL), until < new["due_date"]), else_=false())


def _lacks(name: str, needed: str) -> OfValues:
    return lambda new: new[name].is_not(None) & new[needed].is_(None)


def _anchor(task: Mapping[str, Any]) -> ColumnElement[Any]:
    """The due date that the repetition of a task counts from; NULL if no task is to follow it."""
    since = func.coalesce(task["repeat_anchor"], task["due_date"])
    return case((task["repeat"].is_not(None) & task["next_id"].is_(None), since))


TASK: Final = Resource(
    Task,
    read=schemas.Task.model_fields,
    created=[*TaskCreate.model_fields, "tag_keys", "repeat_anchor"],
    changed=[*TaskChanges.__annotations__, "tag_keys"],
    rules={name: _lacks(name, needed) for name, needed in NEEDS.items()} | {UNTIL: _ends_too_early},
    when_true={"anchor": (col(Task.completed), _anchor)},
)
GET: Final = TASK.get
CREATE: Final = TASK.create
UPDATE: Final = TASK.update
UPDATE_WHOLE: Final = TASK.update_whole
DELETE: Final = TASK.delete

COMPLETED: Final = bindparam("completed", type_=Boolean)
# `completed`: NULL toggles. No row, too, if it is so already.
COMPLETE: Final = TASK.one(
    update(Task)
    .where(
        TASK.mine,
        TASK.this,
        TASK.unchanged,
        col(Task.completed).is_distinct_from(COMPLETED),
    )
    .values(completed=func.coalesce(COMPLETED, ~col(Task.completed)))
    .returning(*TASK.read, case((col(Task.completed), _anchor(TASK.stored))).label("anchor")),
    "anchor",
)
# The repetition passes from a task to the next one, `next_id`, if there is one.
PASS_ON: Final = TASK.one(
    update(Task)
    .where(TASK.mine, TASK.this)
    .values(repeat=null(), next_id=bindparam("next_id", type_=BigInteger))
    .returning(*TASK.read)
)

# The task of a `uid`. CREATE makes none if there is one, or one was deleted.
BY_UID: Final = TASK.one(
    select(*TASK.read).where(TASK.mine, col(Task.uid) == bindparam("uid", type_=Uuid())), "uid"
)
# Changes nothing. Its trigger locks the caller's head, as that of every change does: to be run
# before a statement that locks tasks and then changes them.
HOLD: Final = Statement(
    update(Task).where(TASK.mine, col(Task.id).is_(None)).values(title=col(Task.title))
)

_DELETED: Final = (
    delete(Task).where(TASK.mine, col(Task.completed)).returning(col(Task.id)).cte("gone")
)
DELETE_COMPLETED: Final = Statement(select(func.count().label("deleted")).select_from(_DELETED))

# --- lists ---

# Tasks in a page whose bytes need no limit: at most seven million, as JSON.
SHORT_PAGE: Final = 100

LIMIT: Final = bindparam("limit", type_=BigInteger)
OFFSET: Final = bindparam("offset", type_=BigInteger)
_NONE: Final[ColumnElement[int]] = literal_column("0")


@lru_cache(None)  # bounded: `Wanted` has few forms
def _tasks(sort: Sort, wanted: Wanted, start: Start, long: bool) -> Statement:
    order = Keyset.of(getattr(Task, sort.column), col(Task.id), descending=sort.startswith("-"))
    if start.startswith("before"):
        order = order.reversed()
    conditions = [TASK.mine, *wanted.conditions]
    one_more = LIMIT + literal_column("1")
    rows: Any = keyset.rows(TASK.read, conditions, order, start, one_more, OFFSET)
    if long:
        rows = json_rows.within_bytes(rows)
    has_previous = (
        literal_column("0") < OFFSET
        if start == "top"
        else keyset.has_rows_before(conditions, order, start)
    )
    return Statement(
        select(json_rows.of(rows), has_previous.label("has_previous")).select_from(rows)
    )


def tasks(sort: Sort, filters: frozenset[str], start: Start, long: bool = False) -> Statement:
    """The statement for a page: tasks as `lines` of JSON, and whether it `has_previous` tasks.

    A page before a task is in reverse order. There is one line more than the limit if there is a
    next page. A `long` page, of more than SHORT_PAGE tasks, also ends at MAX_PAGE_BYTES; its last
    line may exceed that.
    """
    return _tasks(sort, Wanted.of(filters), start, long)


def page(sort: Sort, filters: frozenset[str], start: Start, limit: int) -> Statement:
    """The statement for a page of at most `limit` tasks."""
    return tasks(sort, filters, start, limit > SHORT_PAGE)


@lru_cache(None)
def _count(wanted: Wanted) -> Statement:
    return Statement(
        select(func.count().label("total")).select_from(Task).where(TASK.mine, *wanted.conditions)
    )


def count(filters: frozenset[str]) -> Statement:
    """The statement that counts the tasks of the whole list."""
    return _count(Wanted.of(filters))


# --- changes ---

_LAST: Final[BindParameter[int | None]] = bindparam("until", None, type_=BigInteger)


def _changes(*, with_deleted: bool) -> Statement:
    """Rows of `seq`, `id` and `body` after the parameters `at` and `at_id`, with `generation`,
    `head` and `floor` in each; if there is none, one row with these alone; no row without a head.

    A `body` has `seq` as its last member, too (`without_number`); of a deleted task there is none.
    There is one row more than the limit if there is a next
    page, which also ends at MAX_PAGE_BYTES; its last line may exceed that.
    """
    one_more = LIMIT + literal_column("1")
    order = Keyset.of(col(Task.seq), col(Task.id), descending=False)
    mine = [TASK.mine]
    if not with_deleted:
        mine.append(or_(_LAST.is_(None), col(Task.seq) <= _LAST))
    page = json_rows.within_bytes(
        keyset.rows([*TASK.read, col(Task.seq)], mine, order, "after", one_more, _NONE)
    )
    found: Any = select(page.c.seq, page.c.id, json_rows.json(page).label("body"))
    if with_deleted:
        order = Keyset.of(col(TaskTombstone.seq), col(TaskTombstone.task_id), descending=False)
        columns = [col(TaskTombstone.seq), col(TaskTombstone.task_id)]
        gone = keyset.rows(columns, [sync.MY_TOMBSTONES], order, "after", one_more, _NONE)
        found = union_all(found, select(gone.c.seq, gone.c.task_id, cast(null(), Text)))
    found = found.subquery("found")
    head = (
        select(col(SyncHead.generation), col(SyncHead.seq).label("head"), col(SyncHead.floor))
        .where(sync.MY_HEAD)
        .subquery("head")
    )
    return Statement(
        select(*head.c, *found.c)
        .select_from(head.outerjoin(found, true()))
        .order_by(found.c.seq, found.c.id)
        .limit(one_more)
    )


def without_number(body: str) -> str:
    """The JSON of a task, from the `body` of a change."""
    return body[: body.rindex(',"seq":')] + "}"


# All tasks, in the order of their changes; of the head's number `until` and before, if given.
LISTING: Final = _changes(with_deleted=False)
CHANGES: Final = _changes(with_deleted=True)

# --- tags ---

_SPREAD: Final = (
    select(
        col(Task.id),
        col(Task.completed),
        func.unnest(col(Task.tags)).label("tag"),
        func.unnest(col(Task.tag_keys)).label("key"),
    )
    .where(TASK.mine)
    .subquery("spread")
)
# Counted by spelling first: of these there are few, of tags in all tasks many.
_COUNTED: Final = (
    select(
        _SPREAD.c.key,
        _SPREAD.c.tag,
        func.min(_SPREAD.c.id).label("first"),
        func.count().filter(~_SPREAD.c.completed).label("open"),
    )
    .group_by(_SPREAD.c.key, _SPREAD.c.tag)
    .subquery("counted")
)
_SPELT: Final = select(
    _COUNTED.c.key,
    _COUNTED.c.open,
    func.first_value(_COUNTED.c.tag)
    .over(partition_by=_COUNTED.c.key, order_by=_COUNTED.c.first)
    .label("tag"),
).subquery("spelt")
_OPEN: Final = cast(func.sum(_SPELT.c.open), BigInteger)
# Rows of `key`, `tag` and `open`: those of the most open tasks, if there are more than the limit.
TAGS: Final = Statement(
    select(_SPELT.c.key, _SPELT.c.tag, _OPEN.label("open"))
    .group_by(_SPELT.c.key, _SPELT.c.tag)
    .order_by(_OPEN.desc(), _SPELT.c.key)
    .limit(LIMIT)
)

# Compile the most common ones at import, to detect errors in them.
count(frozenset())
_STARTS: Final[tuple[Start, ...]] = ("top", "after")
for _start in _STARTS:
    for _long in (False, True):
        tasks(Sort.NEWEST, frozenset(), _start, _long)

# --- all rows of a user, for `task-api export` and `erase` ---

# A task has 46 kB at most.
PERSONAL_ROWS: Final = personal_rows.of(
    Task, "task", TASK.read, TASK.mine, col(Task.id), first=-(2**63), batch=1000
)
EXPORT_TASKS: Final = PERSONAL_ROWS.export
COUNT_TASKS: Final = PERSONAL_ROWS.total
ERASE_TASKS: Final = PERSONAL_ROWS.erase
