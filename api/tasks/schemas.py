"""What travels: bodies and parameters, and how strictly they are read."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from api.database.json_rows import MAX_PAGE_BYTES
from api.http.fields import STRICT, NoParameters
from api.text import is_blank

MAX_ID: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259, section 6)
MAX_PAGE: Final = 1000
MAX_LINE: Final = 200  # characters of a title, and of what is searched for
MAX_DESCRIPTION: Final = 10_000  # characters
MAX_OFFSET: Final = 10_000
MAX_BULK: Final = 100
MAX_WORDS: Final = 10  # of a search
MAX_WORD: Final = 64  # characters

# What follows it is no pattern but itself (PostgreSQL manual, section Regular Expression
# Metasyntax).
_LITERALLY: Final = "***="

# RFC 3339, section 5.6. Pydantic takes more: numbers, and dates without a time.
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

# For the document. `_shown` knows of more that shows nothing.
_NO_NUL: Final = {"pattern": r"^[^\x00]*$"}
_NOT_BLANK: Final = {"pattern": r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f][^\x00]*$"}
_WORD: Final = rf"[^\s\x00]{{1,{MAX_WORD}}}"
_SEARCHABLE: Final = {
    "pattern": r"^(?=[^\x00]*[^\s\x00-\x1f\x7f-\x9f])"
    rf"\s*{_WORD}(\s+{_WORD}){{0,{MAX_WORDS - 1}}}\s*$"
}


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "String should not hold U+0000")
    return text


def _shown(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def _searchable(text: str) -> str:
    words = text.split()
    if len(words) > MAX_WORDS:
        raise PydanticCustomError("words", f"String should have at most {MAX_WORDS} words")
    if any(len(word) > MAX_WORD for word in words):
        raise PydanticCustomError(
            "word", f"String should have words of at most {MAX_WORD} characters"
        )
    return text


def _query_boolean(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _query_integer(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,16}", value) else value


def _in_utc(date: datetime) -> datetime:
    try:
        return date.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("date", "Input should be of the years 1 to 9999 in UTC") from None


def _query_date(value: object) -> object:
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise PydanticCustomError("date", "Input should be a date such as 2026-11-21T08:00:00Z")
    return value


Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_LINE),
    AfterValidator(_without_nul),
    AfterValidator(_shown),
    Field(json_schema_extra=_NOT_BLANK),
]
Description = Annotated[
    str,
    StringConstraints(strict=True, max_length=MAX_DESCRIPTION),
    AfterValidator(_without_nul),
    Field(json_schema_extra=_NO_NUL),
]

_DIGITS: Final = BeforeValidator(_query_integer)


class TaskCreate(BaseModel):
    """A new task."""

    model_config = STRICT

    title: Title
    description: Description | None = None
    completed: StrictBool = False


@with_config(STRICT)
class TaskUpdate(TypedDict, total=False):
    """What is to change: a member left out keeps its value (RFC 7396)."""

    title: Title
    description: Description | None
    completed: StrictBool


@with_config(STRICT)
class TaskComplete(TypedDict, total=False):
    """Whether the task is to be completed; left out, it is toggled."""

    completed: StrictBool


TaskCreates = Annotated[list[TaskCreate], Field(min_length=1, max_length=MAX_BULK)]


class TaskRead(BaseModel):
    """A task."""

    model_config = STRICT

    id: int = Field(ge=1, le=MAX_ID)
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Sort(StrEnum):
    """What a list is sorted by; `-`: the greatest first."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    UPDATED_FIRST = "updated_at"
    UPDATED_LAST = "-updated_at"
    TITLE = "title"
    TITLE_REVERSED = "-title"

    @property
    def column(self) -> str:
        return self.removeprefix("-")


_Date = Annotated[AwareDatetime, BeforeValidator(_query_date), AfterValidator(_in_utc)]
# A parameter that is left out is left out, and never null.
_DATE_SCHEMA: Final = WithJsonSchema({"type": "string", "format": "date-time"})
_Bound = Annotated[_Date | None, _DATE_SCHEMA]
_Boolean = Annotated[
    StrictBool | None, BeforeValidator(_query_boolean), WithJsonSchema({"type": "boolean"})
]
_Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LINE),
    AfterValidator(_without_nul),
    AfterValidator(_shown),
    AfterValidator(_searchable),
]


class TaskPage(NoParameters):
    """Which tasks to list."""

    completed: _Boolean = Field(None, description="Only those that are completed, or are not")
    created_after: _Bound = Field(None, description="Only those created later")
    created_before: _Bound = Field(None, description="Only those created earlier")
    updated_after: _Bound = Field(None, description="Only those changed later")
    updated_before: _Bound = Field(None, description="Only those changed earlier")
    q: Annotated[
        _Words | None,
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LINE} | _SEARCHABLE),
    ] = Field(
        None,
        description="Only those with each of these words in title or description: at most"
        f" {MAX_WORDS} words of at most {MAX_WORD} characters",
    )
    sort: Sort = Field(Sort.NEWEST, description="What they are sorted by; `-` turns it round")
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE), _DIGITS] = Field(
        MAX_PAGE,
        description="How many at most; a page also ends at about"
        f" {MAX_PAGE_BYTES // 2**20} MiB, with a `next`",
    )
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_OFFSET), _DIGITS] = Field(
        0, description="How many to leave out; a cursor is faster, and stays where it is"
    )
    cursor: Annotated[str | None, WithJsonSchema({"type": "string"})] = Field(
        None, description="Where to go on, out of a Link header"
    )

    @field_validator("cursor")
    @classmethod
    def _one_beginning(cls, cursor: str | None, before: ValidationInfo) -> str | None:
        if before.data.get("offset"):
            raise PydanticCustomError("beginning", "Input should not come with an offset")
        return cursor

    @property
    def is_slow(self) -> bool:
        """A search reads all that the caller has written."""
        return self.q is not None

    @cached_property
    def filters(self) -> dict[str, Any]:
        """What is given of `completed`, the dates and `q`, as parameters of a statement."""
        given = self.model_dump(exclude={"q", "sort", "limit", "offset", "cursor"})
        given["words"] = self.q and [_LITERALLY + word for word in self.q.split()]
        return {name: value for name, value in given.items() if value is not None}

    @cached_property
    def filtered(self) -> frozenset[str]:
        """The names of `filters`."""
        return frozenset(self.filters)

    @cached_property
    def query(self) -> str:
        """The list and the length of its pages, as a query of a URL."""
        given = self.model_dump(mode="json", exclude={"offset", "cursor"}, exclude_unset=True)
        return urlencode(
            {
                name: str(value).lower() if value is True or value is False else str(value)
                for name, value in given.items()
                if value is not None
            }
        )

    @cached_property
    def what(self) -> str:
        """The list, wherever a page of it begins and however long it is."""
        return self.model_dump_json(exclude={"limit", "offset", "cursor"})


class CompletedTasks(NoParameters):
    """Which tasks to delete: `completed=true` must be said, so that nobody does it by accident."""

    completed: Annotated[Literal[True], BeforeValidator(_query_boolean)]


class Deleted(BaseModel):
    """How many tasks were deleted."""

    model_config = STRICT

    deleted: int


# By the name of the model.
EXAMPLES: Final[dict[str, list[JsonValue]]] = {
    "TaskRead": [
        {
            "id": 7,
            "user_id": "alice",
            "title": "Buy milk",
            "description": "Two litres",
            "completed": False,
            "created_at": "2026-11-21T08:00:00.000000Z",
            "updated_at": "2026-11-21T08:00:00.000000Z",
        }
    ],
    "TaskCreate": [{"title": "Buy milk", "description": "Two litres"}],
    "TaskUpdate": [{"title": "Buy bread"}, {"description": None, "completed": True}],
    "TaskComplete": [{"completed": True}, {}],
    "Deleted": [{"deleted": 3}],
}
