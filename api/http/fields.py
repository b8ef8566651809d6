"""Field types and validators for bodies, query parameters and headers of every feature."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, final, get_type_hints

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    JsonValue,
    StrictBool,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import TypedDict

from api.text import is_blank

T = TypeVar("T", bound=type)

# date-time of RFC 3339, section 5.6, also with a space. Pydantic takes more: numbers, and dates
# without a time.
_HOUR: Final = "(?:[01][0-9]|2[0-3])"
_DATE_TIME: Final = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[Tt ]({_HOUR}:[0-5][0-9]):([0-5][0-9]|60)(\.[0-9]+)?"
    rf"([Zz]|[+-]{_HOUR}:[0-5][0-9])"
)
_LEAP_SECOND: Final = "60"
_MICROSECONDS: Final = len(".123456")

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


def _date_time(value: object) -> datetime:
    """Parse a date and time of RFC 3339 to UTC.

    Digits beyond microseconds are cut off. A leap second, which `datetime` and PostgreSQL cannot
    hold, is the first moment of the next minute.
    """
    if isinstance(value, datetime):
        return value
    found = isinstance(value, str) and _DATE_TIME.fullmatch(value)
    try:
        if not found:
            raise ValueError("not of RFC 3339")
        day, minute, second, fraction, offset = found.groups("")
        start = datetime.fromisoformat(f"{day}T{minute}{offset.upper()}").astimezone(UTC)
        if second == _LEAP_SECOND:
            return start + timedelta(minutes=1)
        digits = fraction[1:_MICROSECONDS].ljust(_MICROSECONDS - 1, "0")
        return start.replace(second=int(second), microsecond=int(digits))
    except ValueError:
        raise PydanticCustomError(
            "date", "Input should be a date such as 2026-11-21T08:00:00Z"
        ) from None
    except OverflowError:
        raise PydanticCustomError("date", "Input should be of the years 1 to 9999 in UTC") from None


@final
class _NotNull:
    """See `NOT_NULL`."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        value: dict[str, Any]
        (value,) = (one for one in handler(schema)["anyOf"] if one != {"type": "null"})
        return value


# In the annotation of an optional query parameter: it can be left out, but its schema has no null.
NOT_NULL: Final = _NotNull()

# An integer in a query.
DIGITS: Final = BeforeValidator(_query_integer)

Timestamp = Annotated[AwareDatetime, BeforeValidator(_date_time)]
# An optional parameter can be omitted, but not null.
_DATE_SCHEMA: Final = WithJsonSchema({"type": "string", "format": "date-time"})
QueryDate = Annotated[Timestamp | None, _DATE_SCHEMA]
QueryBoolean = Annotated[
    StrictBool | None, BeforeValidator(query_boolean), WithJsonSchema({"type": "boolean"})
]

STRICT: Final = ConfigDict(extra="forbid")


def with_read_only(whole: type[BaseModel]) -> Callable[[T], T]:
    """Decorator of a TypedDict of changes: it also takes the other members of `whole`.

    So what was read may be sent back whole; `Resource` compares these members with what is stored.
    """

    def decorate(changes: T) -> T:
        others = get_type_hints(whole, include_extras=True)
        members = changes.__annotations__ | {
            name: kind for name, kind in others.items() if name not in changes.__annotations__
        }
        make: Any = TypedDict
        taken: T = make(changes.__name__, members, total=False)
        taken.__doc__, taken.__module__ = changes.__doc__, changes.__module__
        return taken

    return decorate


VARNAMES: Final = "x-enum-varnames"  # member of a schema: names for the values of its `enum`
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


class NamedValues(StrEnum):
    """A StrEnum whose schema has the names of its values, for generated clients."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {VARNAMES: [value.name for value in cls]}


class NoParameters(BaseModel):
    """The query model of a route without query parameters, and the base of all others.

    Requests with the same query share one instance, so none may change it.
    """

    model_config = STRICT | ConfigDict(frozen=True)

    @property
    def is_slow(self) -> bool:
        """Whether the query may take the database long."""
        return False

    @property
    def writes(self) -> bool:
        """Whether a GET with this query may write."""
        return False
