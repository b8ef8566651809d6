"""The members of a task that a request may have: their types, and rules about two of them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from api.http.fields import NO_NUL, NOT_BLANK, shown, without_nul
from api.tasks import repetition, tags
from api.tasks.models import PRIORITIES

MAX_TITLE: Final = 200  # characters
MAX_DESCRIPTION: Final = 10_000  # characters
# RFC 9562, section 4.
_UUID: Final = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_TITLE),
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


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise PydanticCustomError(
            "uuid", "String should be a UUID such as 7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"
        )
    return text.lower()


Uid = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_uuid),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]

Priority = Literal["low", "medium", "high"]
RepeatFrom = Literal["due", "completion"]
REPEAT_FROM: Final[RepeatFrom] = "due"  # the default

# Of these, null means the default: the columns cannot be empty.
OptionalTags = Annotated[
    tags.Tags | None, BeforeValidator(lambda given: [] if given is None else given)
]
OptionalRepeatFrom = Annotated[
    RepeatFrom | None, BeforeValidator(lambda given: REPEAT_FROM if given is None else given)
]


def _priorities(value: object) -> object:
    """Each once, and no more than show that one of them is none."""
    if not isinstance(value, str):
        return value
    return list(dict.fromkeys(value.split(",")))[: len(PRIORITIES) + 1]


# A query parameter: `high,medium`. In JSON it is that text again.
PriorityFilter = Annotated[
    list[Priority],
    BeforeValidator(_priorities),
    PlainSerializer(",".join, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({'|'.join(PRIORITIES)})(,({'|'.join(PRIORITIES)}))*$",
        }
    ),
]

# Each of these members needs another one; so it comes after that in the schemas.
NEEDS: Final = {"due_time": "due_date", "time_zone": "due_time", "repeat": "due_date"}
UNTIL: Final = "until"
# What is said of a task that breaks a rule about two members, and of which of them.
RULES: Final[dict[str, tuple[str, str]]] = {
    **{name: (name, f"It needs a {needed}") for name, needed in NEEDS.items()},
    UNTIL: ("repeat", "UNTIL should not be before the due date"),
}


def goes_with(others: Mapping[str, Any], name: str | None, value: Any) -> Any:
    """For a field validator: the value of a member that goes with those before it.

    What is missing among the `others` was invalid itself.
    """
    broken = [rule for rule in RULES if RULES[rule][0] == name and _breaks(rule, value, others)]
    if broken:
        raise PydanticCustomError("rule", RULES[broken[0]][1])
    return value


def _breaks(rule: str, value: Any, others: Mapping[str, Any]) -> bool:
    if value is None:
        return False
    if rule == UNTIL:
        due = others.get("due_date")
        return due is not None and repetition.never_before(value, due) is not None
    return others.get(NEEDS[rule], value) is None


def columns(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members, and the keys of the tags, which the table has beside them."""
    keys = {"tag_keys": tags.folded(members["tags"])} if "tags" in members else {}
    return {**members, **keys}
