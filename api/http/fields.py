"""Field types and validators for bodies, query parameters and headers of every feature."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    StrictBool,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from api.text import is_blank

# RFC 3339, section 5.6. Pydantic takes more: numbers, and dates without a time.
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

# JSON Schema for OpenAPI. `shown` also refuses other invisible characters.
NO_NUL: Final = {"pattern": r"^[^\x00]*$"}
NOT_BLANK: Final = {"pattern": r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f][^\x00]*$"}


def without_nul(text: str) -> str:
    """For `AfterValidator`: text without U+0000, which PostgreSQL cannot store."""
    if "\0" in text:
        raise PydanticCustomError("nul", "String should not hold U+0000")
    return text


def shown(text: str) -> str:
    """For `AfterValidator`: text with at least one visible character."""
    if is_blank(text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def query_boolean(value: object) -> object:
    """For `BeforeValidator`: only `true` and `false` are booleans in a query."""
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


# An integer in a query.
DIGITS: Final = BeforeValidator(_query_integer)

_Date = Annotated[AwareDatetime, BeforeValidator(_query_date), AfterValidator(_in_utc)]
# An optional parameter can be omitted, but not null.
_DATE_SCHEMA: Final = WithJsonSchema({"type": "string", "format": "date-time"})
QueryDate = Annotated[_Date | None, _DATE_SCHEMA]
QueryBoolean = Annotated[
    StrictBool | None, BeforeValidator(query_boolean), WithJsonSchema({"type": "boolean"})
]

STRICT: Final = ConfigDict(extra="forbid")


EXAMPLES: Final = "x-task-api-examples"  # member of a schema: its `examples`, each as JSON text


def examples(*values: JsonValue) -> ConfigDict:
    """The examples of a model or TypedDict in the OpenAPI document.

    They are stored as text until `openapi.with_components` parses them: FastAPI sorts the members
    of examples and drops those that are null.
    """
    return ConfigDict(json_schema_extra={EXAMPLES: [json.dumps(value) for value in values]})


@final
@dataclass(frozen=True, slots=True)
class ParsedBy:
    """In the annotation of a header or path parameter: the function that parses its text.

    `parse` raises `Failure`. Several lines of a header are joined by commas first (RFC 9110,
    section 5.3).
    """

    parse: Callable[[str], Any]


class NoParameters(BaseModel):
    """The query model of a route without query parameters, and the base of all others.

    Requests with the same query share one instance, so none may change it.
    """

    model_config = STRICT | ConfigDict(frozen=True)

    @property
    def is_slow(self) -> bool:
        """Whether the query may take the database long."""
        return False
