"""Repetition of a task: recurrence rules (RFC 5545, section 3.3.10), and the day that follows.

The rules are those of whole days. `python-dateutil` computes them, but for one thing that people
expect and the RFC does not say: a rule that takes its day of the month from the due date has the
last day of a shorter month, instead of none.
"""

import re
from collections.abc import Iterator
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import groupby
from math import gcd
from typing import Annotated, Final, Literal, NamedTuple

from dateutil.rrule import rrulestr
from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_RULE: Final = 200  # characters
MAX_INTERVAL: Final = 999
MAX_COUNT: Final = 9_999
MAX_COUNTED_YEARS: Final = 100  # an overdue COUNT is used up after these

# A format of this API's own: the grammar is that of RFC 5545, and not all of it.
RULE_FORMAT: Final = "recurrence-rule"

# The Gregorian calendar repeats itself, with its days of the week, after 400 years: these periods.
_CYCLE_YEARS: Final = 400
_CYCLE: Final = {"DAILY": 146_097, "WEEKLY": 20_871, "MONTHLY": 4_800, "YEARLY": 400}
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NUMBER: Final = "[+-]?(?:0?[1-9]|[1-9][0-9])"
_WEEKDAY: Final = re.compile(rf"({_NUMBER})?({'|'.join(_DAYS)})")

# The parts in the order of a normalised rule, each with what it is. COUNT and UNTIL are the last.
_GRAMMAR: Final = {
    "FREQ": "|".join(_CYCLE),
    "INTERVAL": "[0-9]{1,3}",
    "BYDAY": rf"{_WEEKDAY.pattern}(,{_WEEKDAY.pattern})*",
    "BYMONTHDAY": rf"{_NUMBER}(,{_NUMBER})*",
    "BYMONTH": "[0-9]{1,2}(,[0-9]{1,2})*",
    "COUNT": "[0-9]{1,4}",
    "UNTIL": "[0-9]{8}",
}
_EXPECTED: Final = {
    "FREQ": "FREQ should be DAILY, WEEKLY, MONTHLY or YEARLY",
    "INTERVAL": f"INTERVAL should be 1 to {MAX_INTERVAL}",
    "BYDAY": "BYDAY should be days such as MO,WE or 1MO,-1FR",
    "BYMONTHDAY": "BYMONTHDAY should be days of a month, 1 to 31 or -31 to -1",
    "BYMONTH": "BYMONTH should be months, 1 to 12",
    "COUNT": f"COUNT should be 1 to {MAX_COUNT}",
    "UNTIL": "UNTIL should be a day such as 20261201",
}


class Following(NamedTuple):
    """The task that repeats another one: its due date, its rule, and the anchor of both."""

    due: date
    rule: str
    anchor: date


def following(
    rule: str, due: date, anchor: date, repeat_from: Literal["due", "completion"], today: date
) -> Following | None:
    """When the task is due again that is completed today; None when its series is over.

    `rule` is a `Repeat`, `anchor` the due date that gives the day of the month.
    """
    parts = _parts(rule)
    count = int(parts.pop("COUNT", 0))
    until = _date(parts.pop("UNTIL")) if "UNTIL" in parts else date.max
    if repeat_from == "completion":
        due = anchor = today
    if due == date.max:
        return None
    earliest = max(due + timedelta(1), today)
    if count and earliest.year - due.year > MAX_COUNTED_YEARS:
        return None
    later = (day for day in _days(parts, due, anchor, due if count else earliest) if day > due)
    for number, day in enumerate(later, 1):
        if day > until or number == count:
            return None
        if day >= earliest:
            left = {"COUNT": str(count - number)} if count else {}
            return Following(day, _text(_parts(rule) | left), anchor)
    return None


def never_before(rule: str, due: date) -> str | None:
    """What is wrong when a task is due after its rule has ended, or None."""
    until = _parts(rule).get("UNTIL")
    if until is not None and _date(until) < due:
        return "UNTIL should not be before the due date"
    return None


def _days(parts: dict[str, str], due: date, anchor: date, since: date) -> Iterator[date]:
    """The days of the rule in order, from its last period on that begins not after `since`.

    The periods (days, weeks, months or years) are counted from that of `due`. dateutil searches
    until the year 9999. To end its search when every day that there is has been tried, all is moved
    towards that year by whole cycles of the calendar, and back.
    """
    frequency, interval = parts["FREQ"], int(parts.get("INTERVAL", 1))
    first, latest = _period(frequency, due), _period(frequency, since)
    start = _first_day(frequency, latest - (latest - first) % interval)
    searched = _CYCLE_YEARS * (interval // gcd(interval, _CYCLE[frequency])) + MAX_COUNTED_YEARS
    shift = max(0, (MAXYEAR - start.year - searched) // _CYCLE_YEARS) * _CYCLE_YEARS
    explicit = _explicit(parts, due, anchor)
    days = _computed(_text(explicit), start.replace(year=start.year + shift))
    if explicit.get("BYMONTHDAY") != parts.get("BYMONTHDAY"):
        months = groupby(days, key=lambda day: (day.year, day.month))
        days = (max(month) for _, month in months)
    return (day.replace(year=day.year - shift) for day in days)


def _explicit(parts: dict[str, str], due: date, anchor: date) -> dict[str, str]:
    """The rule with what it takes from the due date. Of a day after the 28th, each month has the
    last of those from the 28th on.
    """
    if parts["FREQ"] == "DAILY" or "BYDAY" in parts or "BYMONTHDAY" in parts:
        return parts
    if parts["FREQ"] == "WEEKLY":
        return parts | {"BYDAY": _DAYS[due.weekday()]}
    days = range(min(anchor.day, 28), anchor.day + 1)
    month = {"BYMONTH": str(due.month)} if parts["FREQ"] == "YEARLY" else {}
    return month | parts | {"BYMONTHDAY": ",".join(map(str, days))}


def _computed(rule: str, start: date) -> Iterator[date]:
    try:
        # A week begins on Monday (RFC 5545), whatever `calendar.setfirstweekday` was told.
        for found in rrulestr(f"{rule};WKST=MO", dtstart=datetime.combine(start, time())):
            yield found.date()
    except ValueError:
        pass  # a week of which some days are in the year 10000


def _period(frequency: str, day: date) -> int:
    """The number of the day, week, month or year; inverse of `_first_day`."""
    match frequency:
        case "DAILY":
            return day.toordinal()
        case "WEEKLY":
            return (day.toordinal() - 1) // 7  # 0001-01-01 is a Monday
        case "MONTHLY":
            return 12 * day.year + day.month - 1
        case _:
            return day.year


def _first_day(frequency: str, period: int) -> date:
    match frequency:
        case "DAILY":
            return date.fromordinal(period)
        case "WEEKLY":
            return date.fromordinal(7 * period + 1)
        case "MONTHLY":
            return date(period // 12, period % 12 + 1, 1)
        case _:
            return date(period, 1, 1)


def _parts(rule: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in rule.split(";"))}


def _text(parts: dict[str, str]) -> str:
    return ";".join(f"{name}={parts[name]}" for name in _GRAMMAR if name in parts)


def _date(digits: str) -> date:
    return datetime.strptime(digits, "%Y%m%d").date()


def _refused(detail: str) -> PydanticCustomError:
    return PydanticCustomError("recurrence_rule", detail)


def _expect(name: str, fits: bool) -> None:
    if not fits:
        raise _refused(_EXPECTED[name])


def _read(text: str) -> dict[str, str]:
    """The parts of a rule by name, each well-formed."""
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.partition("=")
        if name not in _GRAMMAR:
            raise _refused(f"String should be a recurrence rule of {', '.join(_GRAMMAR)}")
        if name in parts:
            raise _refused(f"{name} should be given once")
        _expect(name, re.fullmatch(_GRAMMAR[name], value) is not None)
        parts[name] = value
    _expect("FREQ", "FREQ" in parts)
    return parts


def _numbers(name: str, values: str, least: int, most: int) -> str:
    """A list of integers, sorted: those that count from the end come last."""
    numbers = {int(value) for value in values.split(",")}
    _expect(name, all(least <= number <= most for number in numbers))
    return ",".join(map(str, sorted(numbers, key=lambda number: (number < 0, number))))


def _weekdays(parts: dict[str, str]) -> str:
    found = {(_DAYS.index(day), int(nth or 0)) for nth, day in _WEEKDAY.findall(parts["BYDAY"])}
    numbered = [abs(nth) for _, nth in found if nth]
    if numbered:
        if parts["FREQ"] in ("DAILY", "WEEKLY"):
            raise _refused("BYDAY should have numbers with MONTHLY or YEARLY only")
        if len(numbered) < len(found):  # dateutil finds no day of such a rule
            raise _refused("BYDAY should have a number on each day or on none")
        most = 53 if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts else 5
        if max(numbered) > most:
            raise _refused(f"BYDAY should have numbers from 1 to {most}, or -{most} to -1")
    return ",".join(f"{nth or ''}{_DAYS[day]}" for day, nth in sorted(found))


def _occurs(parts: dict[str, str]) -> bool:
    """Whether any year has a day of the rule.

    The 40 years to 9999, where dateutil stops, have all combinations of dates and days of the
    week. Where days only limit, a year is computed faster than its weeks and days.
    """
    if parts["FREQ"] in ("DAILY", "WEEKLY"):
        parts = parts | {"FREQ": "YEARLY"}
    limits = {name: parts[name] for name in parts if name.startswith("BY") or name == "FREQ"}
    return any(True for _ in _computed(_text(limits), date(MAXYEAR - 39, 1, 1)))


def _normalised(text: str) -> str:
    if not text.isascii():  # some letters have an ASCII letter as their upper case
        raise _refused("String should be a recurrence rule such as FREQ=WEEKLY;BYDAY=MO")
    parts = _read(text)
    if "COUNT" in parts and "UNTIL" in parts:
        raise _refused("COUNT and UNTIL should not be given together")
    if parts["FREQ"] == "WEEKLY" and "BYMONTHDAY" in parts:
        raise _refused("BYMONTHDAY should not be given with WEEKLY")
    for name, most in (("INTERVAL", MAX_INTERVAL), ("COUNT", MAX_COUNT)):
        if name in parts:
            parts[name] = _numbers(name, parts[name], 1, most)
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    if "BYMONTH" in parts:
        parts["BYMONTH"] = _numbers("BYMONTH", parts["BYMONTH"], 1, 12)
    if "BYMONTHDAY" in parts:
        parts["BYMONTHDAY"] = _numbers("BYMONTHDAY", parts["BYMONTHDAY"], -31, 31)
    if "BYDAY" in parts:
        parts["BYDAY"] = _weekdays(parts)
    if "UNTIL" in parts:
        try:
            _date(parts["UNTIL"])
        except ValueError:
            _expect("UNTIL", False)
    if not _occurs(parts):
        raise _refused("String should be a rule that occurs; no year has such a day")
    return _text(parts)


# A rule of RFC 5545, normalised: `freq=weekly;byday=we,mo` is `FREQ=WEEKLY;BYDAY=MO,WE`.
Repeat = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, max_length=MAX_RULE),
    AfterValidator(_normalised),
    WithJsonSchema({"type": "string", "format": RULE_FORMAT, "maxLength": MAX_RULE}),
]
