"""Cursor pagination of task lists: cursors, page sizes, Link headers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter

from api.auth.authenticator import User
from api.database.json_rows import MAX_PAGE_BYTES
from api.database.keyset import Start
from api.http import opaque
from api.http.problems import Failure, Kind
from api.tasks.lists import MAX_PAGE, Sort, TaskPage
from api.tasks.models import END_OF_DAY, PRIORITIES, Task
from api.tasks.schemas import MAX_ID

# Of a cursor: the fields of a `Position`.
_CONTENT: Final = TypeAdapter(
    tuple[
        Literal["after", "before"],
        Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")] | None,
        Annotated[int, Field(ge=1, le=MAX_ID)],
    ]
)


@dataclass(frozen=True)
class Position:
    """A decoded cursor: before or after a task.

    It holds the task's value in the sort column, since the task may be deleted by then.
    """

    side: Literal["after", "before"]
    value: str | None
    id: int

    @property
    def start(self) -> Start:
        """Where the page starts."""
        if self.value is None:
            return "after null" if self.side == "after" else "before null"
        return self.side

    def cursor(self, bound: str) -> str:
        """Encode the position as an opaque cursor, valid for this list only.

        It grants no access, it is only a position among the caller's own tasks.
        """
        content = json.dumps([self.side, self.value, self.id], ensure_ascii=False).encode()
        return opaque.sealed(content, bound)

    @classmethod
    def at(cls, cursor: str, bound: str, sort: Sort) -> Self:
        """Decode a cursor. Raises `Failure` when it is not one of this list."""
        try:
            content = opaque.opened(cursor, bound)
            position = cls(*_CONTENT.validate_json(content, strict=True))
            position.values(sort)
            if position.cursor(bound) == cursor:  # the JSON is canonical
                return position
        except (ValueError, OverflowError):
            pass
        raise Failure(
            Kind.MALFORMED_REQUEST,
            "The cursor is not one of this list; start again without it.",
            errors=[
                {"detail": "It belongs to another list, or was altered.", "parameter": "cursor"}
            ],
        )

    def values(self, sort: Sort) -> dict[str, object]:
        """Parameters of a statement. Raises `ValueError` for what the column cannot hold."""
        column = getattr(Task, sort.column)
        if self.value is None:
            if not column.nullable:
                raise ValueError("no task is without it")
            return {"at_id": self.id}
        return {"at": _parsed(self.value, column), "at_id": self.id}


def _parsed(value: str, column: Any) -> object:
    """The column's value in a cursor. Raises `ValueError`."""
    if column.key == "priority":
        if value not in PRIORITIES:
            raise ValueError("no priority")
        return PRIORITIES[value]
    if column.type.python_type is not datetime:
        return value
    moment = datetime.fromisoformat(value)
    if column.type.timezone:
        return moment.astimezone(UTC)
    if moment.tzinfo is not None:
        raise ValueError("in no zone")
    return moment


def _place(task: dict[str, Any], column: str) -> str | None:
    """A task's value in the column, of its members."""
    if column != "due_at":
        value: str | None = task[column]
        return value
    if task["due_date"] is None:
        return None
    return f"{task['due_date']}T{task['due_time'] or END_OF_DAY.isoformat()}"


def bound(user: User, page: TaskPage) -> str:
    """What a cursor is bound to: the list's user, filters and order."""
    return f"{page.list_key} {user.id}"


_ALWAYS_FITTING: Final = MAX_PAGE_BYTES // 4 - MAX_PAGE  # characters of at most 4 bytes
_FITTING_ASCII: Final = MAX_PAGE_BYTES - MAX_PAGE  # of one byte, with a comma or a bracket


def fitting(tasks: list[str], limit: int) -> list[str]:
    """The leading tasks that fit a page of `limit` tasks and MAX_PAGE_BYTES; at least one.

    `tasks`: as JSON.
    """
    tasks = tasks[:limit]
    length = sum(map(len, tasks))
    if length < _ALWAYS_FITTING or (length < _FITTING_ASCII and all(map(str.isascii, tasks))):
        return tasks
    ends = accumulate(len(task.encode()) + 1 for task in tasks)  # with a comma or a bracket
    return tasks[: max(1, sum(end < MAX_PAGE_BYTES for end in ends))]


def links(
    path: str, page: TaskPage, user: User, tasks: list[str], *, newer: bool, older: bool
) -> str:
    """The Link header (RFC 8288): `first`, and `next` and `prev` where they exist.

    `tasks`: those of the page, as JSON.
    """
    links = [_link(path, "first", page.query)]
    if tasks and older:
        links.append(_link(path, "next", page.query, _cursor("after", tasks[-1], page, user)))
    if tasks and newer:
        links.append(_link(path, "prev", page.query, _cursor("before", tasks[0], page, user)))
    return ", ".join(links)


def _cursor(side: Literal["after", "before"], task: str, page: TaskPage, user: User) -> str:
    members = json.loads(task)
    position = Position(side, _place(members, page.sort.column), members["id"])
    return f"cursor={position.cursor(bound(user, page))}"


def _link(path: str, relation: str, *queries: str) -> str:
    query = "&".join(query for query in queries if query)
    return f'<{path}{query and "?"}{query}>; rel="{relation}"'
