"""Days, times and zones: what alice may write, and which day it is where she is."""

import re
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.tasks.due import (
    MAX_TIME_ZONE,
    DueDate,
    DueTime,
    TimeZone,
    time_zone,
    time_zones,
    today,
)

DAY: TypeAdapter[date] = TypeAdapter(DueDate)
TIME: TypeAdapter[str] = TypeAdapter(DueTime)
ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


def refused(adapter: TypeAdapter[Any], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    (error,) = caught.value.errors()
    return str(error["msg"])


@given(st.dates())
def test_every_day_of_the_years_1_to_9999_can_be_a_due_date(day: date) -> None:
    assert DAY.validate_python(day.isoformat()) == day
    assert DAY.dump_json(day).decode() == f'"{day.isoformat()}"'


@pytest.mark.parametrize(
    "value",
    [
        *("2026-02-29", "2026-02-30", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32"),
        *("0000-01-01", "10000-01-01", "-001-01-01", "+2026-01-01", "1900-02-29"),
        *("2026-1-1", "20261201", "2026-W49-2", "2026-335", "2026/12/01", "01.12.2026"),
        *("2026-12-01T00:00:00Z", "2026-12-01T00:00", " 2026-12-01", "2026-12-01\n", ""),
        *("\u0662026-12-01", "2026-12-0\uff11", "today", "none", "infinity"),
        *(20261201, 1764547200, 1.5, True, None, [], {}),
    ],
    ids=repr,
)
def test_what_is_no_calendar_day_is_refused(value: object) -> None:
    assert refused(DAY, value) == "Input should be a day such as 2026-12-01"


def test_every_minute_of_a_day_can_be_a_due_time_and_is_kept_as_it_is() -> None:
    for minute in range(24 * 60):
        text = f"{minute // 60:02}:{minute % 60:02}"
        assert TIME.validate_python(text) == text


@pytest.mark.parametrize(
    "value",
    [
        *("24:00", "23:60", "9:00", "09:0", "0900", "09:00:00", "09:00Z", "09:00+01:00"),
        *("9 am", "09.00", " 09:00", "09:00\n", "", "-1:00", "\u06609:00", "0\uff19:00"),
    ],
    ids=repr,
)
def test_what_is_no_time_of_day_is_refused(value: str) -> None:
    assert refused(TIME, value) == "String should be a time such as 09:30"


@pytest.mark.parametrize("value", [900, 9.5, True, None, []], ids=repr)
def test_a_time_and_a_zone_are_text(value: object) -> None:
    assert refused(TIME, value) == refused(ZONE, value) == "Input should be a valid string"


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT-14", "Asia/Calcutta"],
)
def test_a_zone_of_the_tz_database_is_taken_old_names_as_well(name: str) -> None:
    assert ZONE.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("europe/berlin", "EUROPE/BERLIN", "Europe/berlin", "utc", "Utc"),
        *(
            "../etc",
            "../../etc/passwd",
            "/etc/localtime",
            "Europe/../UTC",
            "./UTC",
            "Europe//Berlin",
        ),
        *("posixrules", "localtime", "posix/UTC", "right/UTC", "Factory", "tzdata.zi", "zone.tab"),
        *(
            "Europe",
            "Europe/",
            "__init__.py",
            "leapseconds",
            "CEST",
            "+01:00",
            "UTC+1",
            "UTC-05:00",
        ),
        *("", " ", "UTC ", " UTC", "UTC\n", "UTC\0", "Mars/Olympus", "EST5EDT,M3.2.0,M11.1.0"),
        "x" * 10_000,
    ],
    ids=lambda name: repr(name[:20]),
)
def test_what_names_no_zone_or_not_exactly_is_refused(name: str) -> None:
    assert refused(ZONE, name) == "String should be a time zone of IANA such as Europe/Berlin"
    with pytest.raises(KeyError):
        time_zone(name)


def test_zones_come_from_the_package_and_not_from_this_machine(tmp_path: Path) -> None:
    """On a machine that says that Berlin is where Tokyo is, and knows a zone more."""
    tokyo = (files(tzdata) / "zoneinfo" / "Asia" / "Tokyo").read_bytes()
    (tmp_path / "Europe").mkdir()
    for name in ("Berlin", "Atlantis"):
        (tmp_path / "Europe" / name).write_bytes(tokyo)
    time_zones.cache_clear()
    time_zone.cache_clear()
    zoneinfo.reset_tzpath([tmp_path])
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    try:
        assert noon.astimezone(ZoneInfo.no_cache("Europe/Berlin")).hour == 21
        assert noon.astimezone(time_zone("Europe/Berlin")).hour == 14
        assert "Europe/Atlantis" not in time_zones()
    finally:
        zoneinfo.reset_tzpath()


def test_every_zone_can_be_opened_and_is_short_enough_to_keep() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    pattern = ZONE.json_schema()["pattern"]
    for name in time_zones():
        assert abs(today(name, now) - now.date()) <= timedelta(1)
        assert len(name) <= MAX_TIME_ZONE
        assert re.fullmatch(pattern, name)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        (None, date(2026, 12, 1)),
        ("UTC", date(2026, 12, 1)),
        ("Pacific/Kiritimati", date(2026, 12, 2)),
        ("Pacific/Pago_Pago", date(2026, 12, 1)),
        ("Europe/Berlin", date(2026, 12, 2)),
    ],
)
def test_it_is_another_day_elsewhere(zone: str | None, day: date) -> None:
    assert today(zone, datetime(2026, 12, 1, 23, 30, tzinfo=UTC)) == day


@pytest.fixture(scope="module")
def no_zones_of_the_host() -> Iterator[None]:
    zoneinfo.reset_tzpath([])  # `zoneinfo` then reads the package
    yield
    zoneinfo.reset_tzpath()


def test_today_in_a_zone_that_is_not_known_here_is_that_in_utc() -> None:
    assert today("Moon/Base", datetime(2026, 12, 1, 23, 30, tzinfo=UTC)) == date(2026, 12, 1)


@pytest.mark.usefixtures("no_zones_of_the_host")
@given(
    st.sampled_from(sorted(time_zones())),
    st.datetimes(datetime(1970, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_today_is_what_zoneinfo_says(zone: str, now: datetime) -> None:
    assert today(zone, now) == now.astimezone(ZoneInfo.no_cache(zone)).date()


def test_the_document_says_what_they_are() -> None:
    assert DAY.json_schema() == {"type": "string", "format": "date"}
    assert TIME.json_schema()["type"] == ZONE.json_schema()["type"] == "string"
    assert re.fullmatch(TIME.json_schema()["pattern"], "23:59")
    assert not re.fullmatch(TIME.json_schema()["pattern"], "24:00")
