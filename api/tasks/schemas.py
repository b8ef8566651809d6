"""Request and response models of tasks: bodies and parameters, and their validation."""

import re
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlencode

from fastapi import Header, Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from api.database import case_folding
from api.database.json_rows import MAX_PAGE_BYTES
from api.http.fields import (
    DIGITS,
    NO_NUL,
    NOT_BLANK,
    STRICT,
    NamedValues,
    NoParameters,
    ParsedBy,
    QueryBoolean,
    QueryDate,
    Timestamp,
    examples,
    query_boolean,
    shown,
    with_read_only,
    without_nul,
)
from api.http.problems import Failure, InvalidInput, Kind

MAX_ID: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259, section 6)
MAX_PAGE: Final = 1000
MAX_LINE: Final = 200  # characters of a title, and of a search
MAX_DESCRIPTION: Final = 10_000  # characters
MAX_OFFSET: Final = 10_000
MAX_BULK: Final = 100
MAX_WORDS: Final = 10  # of a search
MAX_WORD: Final = 64  # characters

_WORD: Final = rf"[^\s\x00]{{1,{MAX_WORD}}}"
_SEARCHABLE: Final = {
    "pattern": r"^(?=[^\x00]*[^\s\x00-\x1f\x7f-\x9f])"
    rf"\s*{_WORD}(\s+{_WORD}){{0,{MAX_WORDS - 1}}}\s*$"
}


def _searchable(text: str) -> str:
    words = text.split()
    if len(words) > MAX_WORDS:
        raise PydanticCustomError("words", f"String should have at most {MAX_WORDS} words")
    if any(len(word) > MAX_WORD for word in words):
        raise PydanticCustomError(
            "word", f"String should have words of at most {MAX_WORD} characters"
        )
    return text


Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_LINE),
    AfterValidator(without_nul),
    AfterValidator(shown),
    Field(json_schema_extra=NOT_BLANK),
]
Text = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(without_nul),
    Field(json_schema_extra=NO_NUL),
]
Description = Annotated[
    str,
    StringConstraints(strict=True, max_length=MAX_DESCRIPTION),
    AfterValidator(without_nul),
    Field(json_schema_extra=NO_NUL),
]


class TaskCreate(BaseModel):
    """A new task."""

    model_config = STRICT | examples({"title": "Buy milk", "description": "Two litres"})

    title: Title
    description: Description | None = None
    completed: StrictBool = False


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
    created_at: Timestamp
    updated_at: Timestamp
    version: Version


class TaskChanges(TypedDict, total=False):
    """The members of a task that can be changed."""

    title: Title
    description: Description | None
    completed: StrictBool


@with_config(STRICT | examples({"title": "Buy bread"}, {"description": None, "completed": True}))
@with_read_only(Task)
class TaskUpdate(TaskChanges, total=False):
    """What is to change: a member left out keeps its value (RFC 7396).

    The members that cannot be changed may be sent as they were read: a `version` that differs from
    what is stored is 412, another one 422.
    """

    version: Version


class Sort(NamedValues):
    """What a list is sorted by; `-`: the greatest first."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    UPDATED_ASC = "updated_at"
    UPDATED_DESC = "-updated_at"
    TITLE = "title"
    TITLE_REVERSED = "-title"

    @property
    def column(self) -> str:
        return self.removeprefix("-")


_Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LINE),
    AfterValidator(without_nul),
    AfterValidator(shown),
    AfterValidator(_searchable),
]


class TaskPage(NoParameters):
    """Query parameters of a task list: filters, order and page."""

    cursor: Annotated[str | None, WithJsonSchema({"type": "string"})] = Field(
        None, description="Where to go on, out of a Link header"
    )
    completed: QueryBoolean = Field(None, description="Only those that are completed, or are not")
    created_after: QueryDate = Field(None, description="Only those created later")
    created_before: QueryDate = Field(None, description="Only those created earlier")
    updated_after: QueryDate = Field(None, description="Only those changed later")
    updated_before: QueryDate = Field(None, description="Only those changed earlier")
    q: Annotated[
        _Words | None,
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LINE} | _SEARCHABLE),
    ] = Field(
        None,
        description="Only those with each of these words in title or description: at most"
        f" {MAX_WORDS} words of at most {MAX_WORD} characters, {MAX_LINE} in all",
    )
    sort: Sort = Field(Sort.NEWEST, description="What they are sorted by; `-` turns it round")
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE), DIGITS] = Field(
        MAX_PAGE,
        description="How many at most; a page also ends at about"
        f" {MAX_PAGE_BYTES // 2**20} MiB, with a `next`",
    )
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_OFFSET), DIGITS] = Field(
        0, description="How many to leave out; a cursor is faster, and stays where it is"
    )

    @model_validator(mode="after")
    def _cursor_without_offset(self) -> Self:
        if self.cursor is not None and self.offset:
            detail = "Input should not come with an offset."
            raise InvalidInput([{"detail": detail, "parameter": "cursor"}])
        return self

    @property
    def is_slow(self) -> bool:
        """Whether it is a text search, which reads all tasks of the caller."""
        return self.q is not None

    @cached_property
    def filters(self) -> dict[str, Any]:
        """The given filters (`completed`, dates, `q`), as parameters of a statement."""
        given = self.model_dump(exclude={"q", "sort", "limit", "offset", "cursor"})
        given["words"] = self.q and [case_folding.pattern(word) for word in self.q.split()]
        return {name: value for name, value in given.items() if value is not None}

    @cached_property
    def filtered(self) -> frozenset[str]:
        """The names of `filters`."""
        return frozenset(self.filters)

    @cached_property
    def query(self) -> str:
        """The filters, order and limit as a URL query."""
        given = self.model_dump(mode="json", exclude={"offset", "cursor"}, exclude_unset=True)
        return urlencode(
            {
                name: str(value).lower() if value is True or value is False else str(value)
                for name, value in given.items()
                if value is not None
            }
        )

    @cached_property
    def list_key(self) -> str:
        """What identifies the list: its filters and order, whatever the page."""
        return self.model_dump_json(exclude={"limit", "offset", "cursor"})


class DeleteCompletedQuery(NoParameters):
    """Query of the bulk delete: it requires `completed=true`, to prevent accidents."""

    completed: Annotated[Literal[True], BeforeValidator(query_boolean)]


class Deleted(BaseModel):
    """How many tasks were deleted."""

    model_config = examples({"deleted": 3})

    deleted: int


def no_such_task() -> Failure:
    """The 404 for a missing task; the same for another user's task."""
    return Failure(Kind.NO_SUCH_TASK, "There is no such task.")


def _task_id(text: str) -> int:
    """Parse a task id. Raises `Failure` (404) for anything that cannot be one."""
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > MAX_ID:
        raise no_such_task()
    return int(text)


TaskId = Annotated[int, Path(ge=1, le=MAX_ID), ParsedBy(_task_id)]
Prefer = Annotated[
    str | None,
    Header(description="`count=exact` asks for X-Total-Count (RFC 7240)", alias="Prefer"),
    ParsedBy(str),
    WithJsonSchema({"type": "string", "examples": ["count=exact"]}),
]
