"""What travels: bodies and parameters, and how strictly they are read."""

import re
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from api.text import is_blank

MAX_ID: Final = 2**53 - 1  # what a JSON number holds exactly (RFC 8259, section 6)
MAX_PAGE: Final = 1000


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "String should not hold U+0000")
    return text


def _shown(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def _query_boolean(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _query_integer(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,16}", value) else value


Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_without_nul),
    AfterValidator(_shown),
    Field(examples=["Buy milk"]),
]
Description = Annotated[
    str,
    StringConstraints(strict=True, max_length=10_000),
    AfterValidator(_without_nul),
]

_DIGITS: Final = BeforeValidator(_query_integer)
_STRICT: Final = ConfigDict(extra="forbid")


class TaskCreate(BaseModel):
    """A new task."""

    model_config = _STRICT

    title: Title
    description: Description | None = None
    completed: StrictBool = False


@with_config(_STRICT)
class TaskUpdate(TypedDict, total=False):
    """What is to change: a member left out keeps its value (RFC 7396)."""

    title: Title
    description: Description | None
    completed: StrictBool


@with_config(_STRICT)
class TaskComplete(TypedDict, total=False):
    """Whether the task is to be completed; left out, it is toggled."""

    completed: StrictBool


class TaskRead(BaseModel):
    """A task."""

    model_config = _STRICT

    id: int = Field(ge=1, le=MAX_ID, examples=[7])
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: AwareDatetime = Field(examples=["2026-11-21T08:00:00.000000Z"])
    updated_at: AwareDatetime = Field(examples=["2026-11-21T08:00:00.000000Z"])


class NoParameters(BaseModel):
    """The query of an address that takes none."""

    model_config = _STRICT


class TaskPage(NoParameters):
    """Which tasks to list."""

    completed: Annotated[
        StrictBool | None, BeforeValidator(_query_boolean), WithJsonSchema({"type": "boolean"})
    ] = None
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_PAGE), _DIGITS] = MAX_PAGE
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_ID), _DIGITS] = 0
