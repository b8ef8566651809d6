"""Tags of a task: their validation, and how they are compared."""

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from api.http.fields import shown, without_nul

MAX_TAGS: Final = 20
MAX_TAG: Final = 50  # code points

_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"  # general category Cc
_UNFIT: Final = re.compile(f"[{_CONTROL}\ud800-\udfff]")

# JSON Schema for OpenAPI. `shown` also refuses other invisible characters.
_VISIBLE: Final = rf"[^\s,{_CONTROL}]"
_TAG: Final = rf"\s*{_VISIBLE}([^,{_CONTROL}]*{_VISIBLE})?\s*"


def folded(tags: Iterable[str]) -> list[str]:
    """The keys by which tags are compared: in full case folding (Unicode, section 3.13), so that
    `Straße` is `STRASSE`. They are not normalized, and may be longer than MAX_TAG.
    """
    return [tag.casefold() for tag in tags]


def _without_controls(text: str) -> str:
    if _UNFIT.search(text):
        raise PydanticCustomError("control", "String should not hold control characters")
    return text


def _without_comma(text: str) -> str:
    if "," in text:
        raise PydanticCustomError("comma", "String should not hold a comma")
    return text


def _unique(tags: list[str]) -> list[str]:
    """The tags without those that are there already but for their case."""
    first: dict[str, str] = {}
    for key, tag in zip(folded(tags), tags, strict=True):
        first.setdefault(key, tag)
    return list(first.values())


def _separated(value: object) -> object:
    """For `BeforeValidator`: the tags of a query parameter."""
    if value == "":
        raise PydanticCustomError("no_tags", "String should have at least one tag")
    return value.split(",") if isinstance(value, str) else value


Tag = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=MAX_TAG),
    AfterValidator(without_nul),
    AfterValidator(_without_controls),
    AfterValidator(_without_comma),
    AfterValidator(shown),
    Field(json_schema_extra={"pattern": f"^{_TAG}$"}),
]
Tags = Annotated[list[Tag], Field(strict=True, max_length=MAX_TAGS), AfterValidator(_unique)]

# A query parameter: `home,urgent`. In JSON it is that text again.
TagFilter = Annotated[
    list[Tag],
    Field(min_length=1, max_length=MAX_TAGS),
    BeforeValidator(_separated),
    AfterValidator(_unique),
    PlainSerializer(",".join, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "pattern": f"^{_TAG}(,{_TAG}){{0,{MAX_TAGS - 1}}}$"}
    ),
]
