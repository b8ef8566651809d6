"""When a task is due: a calendar day, a time of day and a time zone, and their validation."""

import re
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import tzdata
from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_PLACEHOLDER: Final = "Factory"  # of a machine whose zone was never set (tz database, factory)
MAX_TIME_ZONE: Final = 64  # characters; the longest name has half of them

# A format of this API's own: the names are those of the tz database, which grows.
TIME_ZONE_FORMAT: Final = "time-zone"


def _day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # there is no such day, as 30 February
    raise PydanticCustomError("day", "Input should be a day such as 2026-12-01")


def _time(text: str) -> str:
    if not re.fullmatch(_TIME, text):
        raise PydanticCustomError("time_of_day", "String should be a time such as 09:30")
    return text


def _zone_name(text: str) -> str:
    if text not in time_zones():
        raise PydanticCustomError(
            "time_zone", "String should be a time zone of IANA such as Europe/Berlin"
        )
    return text


@cache
def time_zones() -> frozenset[str]:
    """The names of the tz database in the package `tzdata`: the same on every machine."""
    names = (files(tzdata) / "zones").read_text("ascii").splitlines()
    return frozenset(names) - {_PLACEHOLDER}


@cache
def time_zone(name: str) -> ZoneInfo:
    """The zone out of the package `tzdata`, never the host's files. Raises `KeyError`."""
    if name not in time_zones():
        raise KeyError(name)
    with (files(tzdata) / "zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def today(zone: str | None, now: datetime) -> date:
    """The day that it is in the zone at this time, which is aware.

    In UTC without a zone, and in one that a server with a newer tz database has stored.
    """
    return now.astimezone(time_zone(zone) if zone in time_zones() else UTC).date()


# 0001-01-01 to 9999-12-31: what Python's `date` holds, and PostgreSQL's holds as well.
DueDate = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})
]

_TIME_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": f"^{_TIME}$"}
DueTime = Annotated[
    str, StringConstraints(strict=True), AfterValidator(_time), WithJsonSchema(_TIME_SCHEMA)
]

TimeZone = Annotated[
    str,
    StringConstraints(strict=True),
    AfterValidator(_zone_name),
    WithJsonSchema(
        {
            "type": "string",
            "format": TIME_ZONE_FORMAT,
            "maxLength": MAX_TIME_ZONE,
            "pattern": r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$",
        }
    ),
]
