"""Request and response models of tasks: bodies and parameters, and their validation."""

import re
from typing import Annotated, Final, Literal

from fastapi import Header, Path
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    with_config,
)
from typing_extensions import TypedDict

from api.http.fields import (
    DIGITS,
    STRICT,
    NoParameters,
    ParsedBy,
    Timestamp,
    examples,
    query_boolean,
    with_read_only,
)
from api.http.problems import Failure, Kind
from api.tasks.due import DueDate, DueTime, TimeZone
from api.tasks.lists import MAX_PAGE as MAX_PAGE
from api.tasks.lists import Sort as Sort
from api.tasks.lists import TaskPage as TaskPage
from api.tasks.members import (
    NEEDS,
    REPEAT_FROM,
    Description,
    OptionalRepeatFrom,
    OptionalTags,
    Priority,
    RepeatFrom,
    Text,
    Title,
    Uid,
    goes_with,
)
from api.tasks.repetition import Repeat

MAX_ID: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259, section 6)
MAX_BULK: Final = 100


class TaskCreate(BaseModel):
    """A new task."""

    model_config = STRICT | examples(
        {"title": "Buy milk", "description": "Two litres"},
        {
            "title": "Pay the rent",
            "priority": "high",
            "tags": ["home", "money"],
            "due_date": "2026-12-01",
            "due_time": "09:30",
            "time_zone": "Europe/Berlin",
            "repeat": "FREQ=MONTHLY",
        },
    )

    title: Title
    description: Description | None = None
    completed: StrictBool = False
    priority: Priority | None = None
    tags: OptionalTags = []
    due_date: DueDate | None = None
    due_time: DueTime | None = None
    time_zone: TimeZone | None = None
    repeat: Repeat | None = None
    repeat_from: OptionalRepeatFrom = REPEAT_FROM
    uid: Annotated[
        Uid | None,
        Field(description="Makes it safe to send this again, for as long as there is the task"),
    ] = None

    @field_validator(*NEEDS)
    @classmethod
    def _goes_with(cls, value: object, info: ValidationInfo) -> object:
        return goes_with(info.data, info.field_name, value)


@with_config(STRICT | examples({"completed": True}, {}))
class TaskComplete(TypedDict, total=False):
    """Whether the task is to be completed; left out, it is toggled."""

    completed: StrictBool


BulkTaskCreate = Annotated[list[TaskCreate], Field(min_length=1, max_length=MAX_BULK)]


Integer = Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
Version = Annotated[
    Integer, Field(description="One more with each change; in quotes it is the ETag")
]


class Task(BaseModel):
    """A task."""

    model_config = examples(
        {
            "id": 7,
            "user_id": "alice",
            "title": "Buy milk",
            "description": "Two litres",
            "completed": False,
            "priority": "high",
            "tags": ["home", "shop"],
            "due_date": "2026-12-01",
            "due_time": "18:30",
            "time_zone": "Europe/Berlin",
            "repeat": "FREQ=WEEKLY;BYDAY=TU",
            "repeat_from": "due",
            "completed_at": None,
            "next_id": None,
            "uid": None,
            "created_at": "2026-11-21T08:00:00.000000Z",
            "updated_at": "2026-11-21T08:00:00.000000Z",
            "version": 1,
        }
    )

    id: Integer
    user_id: Text
    title: str
    description: str | None
    completed: bool
    priority: Priority | None
    tags: list[str]
    due_date: DueDate | None
    due_time: DueTime | None
    time_zone: str | None
    repeat: str | None
    repeat_from: RepeatFrom
    completed_at: Annotated[
        Timestamp | None, Field(description="When it was completed, where that is known")
    ]
    next_id: Annotated[
        Integer | None,
        Field(description="The task that repeats this one; it may have been deleted"),
    ]
    uid: Annotated[Uid | None, Field(description="Given by the client that made it")]
    created_at: Timestamp
    updated_at: Timestamp
    version: Version


class TaskChanges(TypedDict, total=False):
    """The members of a task that can be changed."""

    title: Title
    description: Description | None
    completed: StrictBool
    priority: Priority | None
    tags: OptionalTags
    due_date: DueDate | None
    due_time: DueTime | None
    time_zone: TimeZone | None
    repeat: Repeat | None
    repeat_from: OptionalRepeatFrom


@with_config(STRICT | examples({"title": "Buy bread"}, {"description": None, "completed": True}))
@with_read_only(Task)
class TaskUpdate(TaskChanges, total=False):
    """What is to change: a member left out keeps its value (RFC 7396).

    The members that cannot be changed may be sent as they were read: a `version` that differs from
    what is stored is 412, another one 422.
    """

    version: Version


class DeleteCompletedQuery(NoParameters):
    """Query of the bulk delete: it requires `completed=true`, to prevent accidents."""

    completed: Annotated[Literal[True], BeforeValidator(query_boolean)]


class ChangesQuery(NoParameters):
    """Query of the changes: since when, and how many of them."""

    since: Annotated[str | None, WithJsonSchema({"type": "string"})] = Field(
        None, description="The `next` of the answer before; without it, all tasks are listed"
    )
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE), DIGITS] = Field(
        MAX_PAGE, description="How many at most; a page also ends at about 1 MiB"
    )

    @property
    def writes(self) -> bool:
        """Whether it may: a full listing begins with a head."""
        return self.since is None


class ChangedTasks(BaseModel):
    """What has changed."""

    model_config = examples(
        {"changed": [], "deleted": [7], "next": "AbC1fPq0ZkdbMV0", "more": False}
    )

    changed: Annotated[list[Task], Field(description="The tasks that are new or other than before")]
    deleted: Annotated[
        list[Integer],
        Field(description="The ids of tasks that are gone; the client need not have heard of them"),
    ]
    next: Annotated[str, Field(description="The `since` of the next request")]
    more: Annotated[bool, Field(description="Whether there is more now")]


class TagCount(BaseModel):
    """A tag as it was first written, and how many open tasks have it."""

    model_config = examples({"tag": "work", "open": 3})

    tag: str
    open: int


class Deleted(BaseModel):
    """How many tasks were deleted."""

    model_config = examples({"deleted": 3})

    deleted: int


def no_such_task() -> Failure:
    """The 404 for a missing task; the same for another user's task."""
    return Failure(Kind.NO_SUCH_TASK, "There is no such task.")


def task_id(text: str) -> int:
    """Parse a task id. Raises `Failure` (404) for anything that cannot be one."""
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > MAX_ID:
        raise no_such_task()
    return int(text)


TaskId = Annotated[int, Path(ge=1, le=MAX_ID), ParsedBy(task_id)]
Prefer = Annotated[
    str | None,
    Header(description="`count=exact` asks for X-Total-Count (RFC 7240)", alias="Prefer"),
    ParsedBy(str),
    WithJsonSchema({"type": "string", "examples": ["count=exact"]}),
]
