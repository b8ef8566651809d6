"""When what alice repeats is due again.

Two oracles: dateutil on the whole rule, and days looked at one by one as RFC 5545 defines them.
icalendar, which parses rules by itself, reads what is stored.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from icalendar import vRecur
from pydantic import TypeAdapter, ValidationError

from api.tasks.due import time_zones, today
from api.tasks.repetition import MAX_RULE, Following, Repeat, following, never_before

RULE: TypeAdapter[str] = TypeAdapter(Repeat)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
From = Literal["due", "completion"]


def day(text: str) -> date:
    return date.fromisoformat(text)


def refused(value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        RULE.validate_python(value)
    (error,) = caught.value.errors()
    return str(error["msg"])


def series(rule: str, due: str, number: int, late: int = 0, repeat_from: From = "due") -> list[str]:
    """The due dates after this one, each task completed `late` days after it is due."""
    one: Following | None = Following(day(due), RULE.validate_python(rule), day(due))
    found: list[str] = []
    while one and len(found) < number:
        one = following(one.rule, one.due, one.anchor, repeat_from, one.due + timedelta(days=late))
        found.append(one.due.isoformat() if one else "over")
    return found


# What alice may write.


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("freq=daily;interval=1", "FREQ=DAILY"),
        ("INTERVAL=02;FREQ=DAILY", "FREQ=DAILY;INTERVAL=2"),
        (" RRULE:FREQ=WEEKLY;BYDAY=SU,MO,SU\n", "FREQ=WEEKLY;BYDAY=MO,SU"),
        ("rrule:freq=weekly", "FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYDAY=-1FR,+01MO", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,31,+2,2", "FREQ=MONTHLY;BYMONTHDAY=2,31,-1"),
        ("UNTIL=20261231;BYMONTH=12,02;FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=2,12;UNTIL=20261231"),
        ("COUNT=010;FREQ=YEARLY;BYDAY=53MO", "FREQ=YEARLY;BYDAY=53MO;COUNT=10"),
        ("FREQ=YEARLY;INTERVAL=999;COUNT=9999", "FREQ=YEARLY;INTERVAL=999;COUNT=9999"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2"),
    ],
)
def test_a_rule_is_kept_in_one_form(written: str, kept: str) -> None:
    assert RULE.validate_python(written) == kept


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "a recurrence rule of FREQ"),
        ("every day", "a recurrence rule"),
        ("FREQ=DAILY;", "a recurrence rule of FREQ"),
        ("FREQ=DAILY;WKST=SU", "a recurrence rule of FREQ"),
        ("FREQ=MONTHLY;BYSETPOS=1;BYDAY=MO", "a recurrence rule of FREQ"),
        ("FREQ=DAILY;BYHOUR=9", "a recurrence rule of FREQ"),
        ("FREQ=DAILY;DTSTART=20260101", "a recurrence rule of FREQ"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY", "a recurrence rule of FREQ"),
        ("RRULE:RRULE:FREQ=DAILY", "a recurrence rule of FREQ"),
        ("FREQ=DAILY; INTERVAL=2", "a recurrence rule of FREQ"),
        ("FREQ=DAILY\0", "FREQ should be"),
        ("INTERVAL=2", "FREQ should be"),
        ("FREQ=HOURLY", "FREQ should be"),
        ("FREQ=", "FREQ should be"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ should be given once"),
        ("FREQ=DAILY;INTERVAL=2;INTERVAL=2", "INTERVAL should be given once"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL should be 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL should be 1 to 999"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL should be 1 to 999"),
        ("FREQ=DAILY;COUNT=0", "COUNT should be 1 to 9999"),
        ("FREQ=DAILY;COUNT=10000", "COUNT should be 1 to 9999"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL should not be given together"),
        ("FREQ=DAILY;UNTIL=20270229", "UNTIL should be a day"),
        ("FREQ=DAILY;UNTIL=00000101", "UNTIL should be a day"),
        ("FREQ=DAILY;UNTIL=2027-01-01", "UNTIL should be a day"),
        ("FREQ=DAILY;UNTIL=20270101T000000Z", "UNTIL should be a day"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY should be days"),
        ("FREQ=WEEKLY;BYDAY=MO,", "BYDAY should be days"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY should be days"),
        ("FREQ=MONTHLY;BYDAY=MO(+1)", "BYDAY should be days"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbers with MONTHLY or YEARLY only"),
        ("FREQ=DAILY;BYDAY=-1MO", "numbers with MONTHLY or YEARLY only"),
        ("FREQ=MONTHLY;BYDAY=6MO", "numbers from 1 to 5"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-6MO", "numbers from 1 to 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "numbers from 1 to 53"),
        ("FREQ=MONTHLY;BYDAY=1MO,TU", "a number on each day or on none"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY should not be given with WEEKLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY should be"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY should be"),
        ("FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY should be"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH should be"),
        ("FREQ=YEARLY;BYMONTH=0", "BYMONTH should be"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH should be"),
        ("FREQ=DA\u0131LY", "a recurrence rule such as"),
        ("FREQ=DAILY;INTERVAL=\u0662", "a recurrence rule such as"),
        ("FREQ=DAILY;" * 40, "at most 200 characters"),
        (7, "a valid string"),
        (None, "a valid string"),
    ],
)
def test_what_is_not_of_the_subset_is_refused_and_says_why(rule: object, said: str) -> None:
    assert said in refused(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4,6,9,11;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-30",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=28",
        "FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=31",
    ],
)
def test_a_rule_of_which_no_day_comes_is_refused(rule: str) -> None:
    assert refused(rule) == "String should be a rule that occurs; no year has such a day"


# When it is due again.


@pytest.mark.parametrize(
    ("rule", "due", "next_ones"),
    [
        ("FREQ=DAILY", "2026-12-31", ["2027-01-01"]),
        ("FREQ=MONTHLY", "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ("FREQ=MONTHLY", "2028-01-30", ["2028-02-29", "2028-03-30"]),
        ("FREQ=MONTHLY;INTERVAL=13", "2026-01-31", ["2027-02-28", "2028-03-31"]),
        ("FREQ=YEARLY", "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("FREQ=YEARLY;INTERVAL=4", "2096-02-29", ["2100-02-28", "2104-02-29"]),
        ("FREQ=YEARLY;BYMONTH=2,4", "2026-01-31", ["2026-02-28", "2026-04-30", "2027-02-28"]),
        ("FREQ=MONTHLY;BYMONTH=2", "2026-01-31", ["2026-02-28", "2027-02-28", "2028-02-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", ["2026-03-31", "2026-05-31"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29", ["2028-02-29"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-12-01", ["2026-12-15", "2026-12-29"]),
        ("FREQ=WEEKLY;BYDAY=TU", "2026-12-02", ["2026-12-08"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ["2026-12-25", "2027-01-29"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-11-13", ["2027-08-13"]),
        ("FREQ=YEARLY;BYDAY=1MO;BYMONTH=9", "2026-09-07", ["2027-09-06"]),
        ("FREQ=YEARLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29", "2000-02-29", ["5996-02-29"]),
    ],
)
def test_tasks_completed_in_time_are_due_on_these_days(
    rule: str, due: str, next_ones: list[str]
) -> None:
    assert series(rule, due, len(next_ones)) == next_ones


@pytest.mark.parametrize(
    ("rule", "completed", "next_one"),
    [
        ("FREQ=DAILY", "2026-12-04", "2026-12-04"),  # it is due today, and not past
        ("FREQ=WEEKLY;INTERVAL=2", "2026-12-16", "2026-12-29"),  # the fortnight stays
        ("FREQ=WEEKLY;INTERVAL=2", "2026-12-15", "2026-12-15"),
        ("FREQ=WEEKLY;INTERVAL=2", "2026-11-03", "2026-12-15"),  # early: not the same one again
        ("FREQ=DAILY;INTERVAL=3", "2026-12-05", "2026-12-07"),
        ("FREQ=MONTHLY", "2027-03-02", "2027-04-01"),
    ],
)
def test_a_series_from_the_due_date_stays_in_step(rule: str, completed: str, next_one: str) -> None:
    due = day("2026-12-01")
    assert following(rule, due, due, "due", day(completed)) == (day(next_one), rule, due)


@pytest.mark.parametrize(
    ("rule", "completed", "next_one"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2026-12-05", "2026-12-08"),
        ("FREQ=DAILY;INTERVAL=3", "2026-11-20", "2026-11-23"),  # early: counted from then
        ("FREQ=WEEKLY;BYDAY=MO", "2026-12-02", "2026-12-07"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-12-02", "2026-12-14"),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-12-07", "2026-12-14"),
        ("FREQ=MONTHLY", "2027-01-31", "2027-02-28"),
        ("FREQ=YEARLY", "2028-02-29", "2029-02-28"),
    ],
)
def test_a_series_from_the_completion_counts_from_that_day(
    rule: str, completed: str, next_one: str
) -> None:
    due = day("2026-12-01")
    found = following(rule, due, due, "completion", day(completed))
    assert found == (day(next_one), rule, day(completed))


def test_a_count_is_the_number_of_tasks_those_that_were_skipped_included() -> None:
    assert series("FREQ=DAILY;COUNT=3", "2026-12-01", 9) == ["2026-12-02", "2026-12-03", "over"]
    assert series("FREQ=DAILY;COUNT=1", "2026-12-01", 9) == ["over"]
    assert series("FREQ=DAILY;COUNT=3", "2026-12-01", 9, late=2) == ["2026-12-03", "over"]
    assert series("FREQ=DAILY;COUNT=3", "2026-12-01", 9, late=3) == ["over"]
    due = day("2026-12-01")
    found = following("FREQ=DAILY;COUNT=9", due, due, "due", day("2026-12-05"))
    assert found == (day("2026-12-05"), "FREQ=DAILY;COUNT=5", due)


def test_until_is_the_last_day_and_stays_in_the_rule() -> None:
    rule = "FREQ=WEEKLY;UNTIL=20261215"
    assert series(rule, "2026-12-01", 9) == ["2026-12-08", "2026-12-15", "over"]
    due = day("2026-12-01")
    assert following(rule, due, due, "due", due) == (day("2026-12-08"), rule, due)
    assert following(rule, due, due, "due", day("2026-12-16")) is None
    assert following(rule, due, due, "completion", day("2026-12-09")) is None


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("FREQ=DAILY", "9999-12-31"),
        ("FREQ=DAILY;INTERVAL=2", "9999-12-30"),
        ("FREQ=WEEKLY", "9999-12-25"),
        ("FREQ=WEEKLY;BYDAY=SA", "9999-12-25"),
        ("FREQ=MONTHLY", "9999-12-01"),
        ("FREQ=YEARLY;INTERVAL=999", "9001-01-01"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "2027-01-01"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-12-01"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "2026-12-01"),
    ],
)
def test_a_series_ends_when_no_day_is_left(rule: str, due: str) -> None:
    assert series(rule, due, 2) == ["over"]


def test_a_count_that_is_overdue_for_more_than_a_century_is_used_up() -> None:
    due, rule = day("1900-01-01"), "FREQ=YEARLY;COUNT=9999"
    found = following(rule, due, due, "due", day("2000-12-31"))
    assert found == (day("2001-01-01"), "FREQ=YEARLY;COUNT=9898", due)
    assert following(rule, due, due, "due", day("2001-01-01")) is None


def test_a_rule_that_ends_before_the_due_date_says_so() -> None:
    said = "UNTIL should not be before the due date"
    assert never_before("FREQ=DAILY;UNTIL=20261130", day("2026-12-01")) == said
    assert never_before("FREQ=DAILY;UNTIL=20261201", day("2026-12-01")) is None
    assert never_before("FREQ=DAILY", day("9999-12-31")) is None
    assert never_before("FREQ=DAILY;COUNT=1", day("2026-12-01")) is None


def test_the_week_begins_on_monday_whatever_the_process_thinks() -> None:
    was = calendar.firstweekday()
    calendar.setfirstweekday(calendar.SUNDAY)
    try:
        rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"
        assert series(rule, "1997-08-05", 3) == ["1997-08-10", "1997-08-19", "1997-08-24"]
    finally:
        calendar.setfirstweekday(was)


# Any rule.


def _list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))


@st.composite
def rules(draw: st.DrawFn, ends: bool = True) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    interval = draw(st.one_of(st.integers(1, 4), st.integers(1, 999)))
    parts = [f"FREQ={frequency}", f"INTERVAL={interval}"]
    if draw(st.booleans()):
        weekdays: st.SearchStrategy[str] = st.sampled_from(DAYS)
        if frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
            number = st.integers(1, 5 if frequency == "MONTHLY" else 53)
            signed = st.tuples(st.sampled_from(["", "-", "+"]), number, weekdays)
            weekdays = signed.map(lambda one: "".join(map(str, one)))
        parts.append(f"BYDAY={draw(_list(weekdays))}")
    if frequency != "WEEKLY" and draw(st.booleans()):
        days = st.integers(1, 31) | st.integers(-31, -1)
        parts.append(f"BYMONTHDAY={draw(_list(days))}")
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(_list(st.integers(1, 12)))}")
    if ends and draw(st.booleans()):
        last = st.dates(date(2000, 1, 1), date(2050, 1, 1)).map(
            lambda d: d.strftime("UNTIL=%Y%m%d")
        )
        parts.append(draw(st.integers(1, 99).map("COUNT={}".format) | last))
    try:
        return RULE.validate_python(";".join(draw(st.permutations(parts))))
    except ValidationError:
        assume(False)
        raise


def monday(one: date) -> date:
    return date.fromisocalendar(*one.isocalendar()[:2], 1)


def matches(rule: str, one: date, first: date, anchor: date) -> bool:
    """Whether the day is of the rule: by definition, one day looked at by itself."""
    parts = dict(part.split("=") for part in rule.split(";"))
    last = calendar.monthrange(one.year, one.month)[1]
    apart = {
        "DAILY": (one - first).days,
        "WEEKLY": (monday(one) - monday(first)).days // 7,
        "MONTHLY": 12 * (one.year - first.year) + one.month - first.month,
        "YEARLY": one.year - first.year,
    }[parts["FREQ"]]
    if apart % int(parts.get("INTERVAL", "1")):
        return False
    if "BYMONTH" in parts and str(one.month) not in parts["BYMONTH"].split(","):
        return False
    if "BYMONTHDAY" in parts:
        named = parts["BYMONTHDAY"].split(",")
        if str(one.day) not in named and str(one.day - last - 1) not in named:
            return False
    if "BYDAY" in parts:
        in_year = parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts
        length = 365 + calendar.isleap(one.year) if in_year else last
        place = one.timetuple().tm_yday if in_year else one.day
        weekday = DAYS[one.weekday()]
        nth, from_end = (place + 6) // 7, (length - place) // 7 + 1
        named = parts["BYDAY"].split(",")
        return not {weekday, f"{nth}{weekday}", f"-{from_end}{weekday}"}.isdisjoint(named)
    if "BYMONTHDAY" in parts or parts["FREQ"] == "DAILY":
        return True
    if parts["FREQ"] == "WEEKLY":
        return one.weekday() == first.weekday()
    if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts and one.month != first.month:
        return False
    return one.day == min(anchor.day, last)


HORIZON = 3_000  # days that the oracle looks at


def by_hand(
    rule: str, due: date, anchor: date, repeat_from: From, completed: date
) -> tuple[date, str] | Literal["over", "later"]:
    first = due if repeat_from == "due" else completed
    anchor = anchor if repeat_from == "due" else completed
    head, _, count = rule.partition(";COUNT=")
    head, _, until = head.partition(";UNTIL=")
    left = int(count or 0)
    for number in range(1, HORIZON):
        one = first + timedelta(days=number)
        if until and one.strftime("%Y%m%d") > until:
            return "over"
        if matches(head, one, first, anchor):
            left -= 1
            if count and left == 0:
                return "over"
            if one >= completed:
                return one, f"{head};COUNT={left}" if count else rule
    return "later"


_due = st.dates(date(1999, 1, 1), date(2040, 12, 31))
_from: st.SearchStrategy[From] = st.sampled_from(["due", "completion"])


@settings(max_examples=400, deadline=None)
@example("FREQ=MONTHLY", date(2026, 1, 31), 31, "due", 31)
@example("FREQ=YEARLY", date(2024, 2, 29), 300, "due", 29)
@given(rules(), _due, st.integers(-400, 400), _from, st.integers(28, 31))
def test_the_next_day_is_the_first_that_matches_when_each_is_looked_at(
    rule: str, due: date, late: int, repeat_from: From, anchor_day: int
) -> None:
    last = calendar.monthrange(due.year, due.month)[1]
    anchor = due.replace(month=1, day=anchor_day) if due.day == last else due
    completed = due + timedelta(days=late)
    found = following(rule, due, anchor, repeat_from, completed)
    expected = by_hand(rule, due, anchor, repeat_from, completed)
    first = due if repeat_from == "due" else completed
    if expected == "later":
        assert found is None or (found.due - first).days >= HORIZON
    elif expected == "over":
        assert found is None
    else:
        assert found is not None
        assert (found.due, found.rule) == expected
        assert found.anchor == (anchor if repeat_from == "due" else completed)


def dateutil_s(rule: str, first: date) -> Iterator[date]:
    start = datetime.combine(first, datetime.min.time())
    return (found.date() for found in rrulestr(f"{rule};WKST=MO", dtstart=start))


@settings(max_examples=200, deadline=None)
@given(rules(ends=False), st.dates(date(1, 1, 1), date(9990, 1, 1)), st.integers(0, 20_000))
def test_where_no_month_is_too_short_it_is_the_day_that_dateutil_says(
    rule: str, due: date, late: int
) -> None:
    """dateutil from the due date itself, without any step between."""
    assume("BYMONTHDAY" in rule or "BYDAY" in rule or due.day <= 28)
    completed = min(due + timedelta(days=late), date(9999, 1, 1))
    earliest = max(completed, due + timedelta(days=1))
    try:
        expected = next((one for one in dateutil_s(rule, due) if one >= earliest), None)
    except ValueError:  # in year 10000
        expected = None
    found = following(rule, due, due, "due", completed)
    assert (found and found.due) == expected


@settings(deadline=None)
@given(rules())
def test_another_reader_of_calendars_reads_the_same_rule(rule: str) -> None:
    read = {
        name.upper(): ",".join(map(str, values)) for name, values in vRecur.from_ical(rule).items()
    }
    written = dict(part.split("=") for part in rule.split(";"))
    assert {**read, "UNTIL": 0} == {**written, "UNTIL": 0}
    assert re.sub("-", "", read.get("UNTIL", "")) == written.get("UNTIL", "")


@settings(deadline=None)
@given(rules())
def test_a_rule_that_was_kept_is_kept_as_it_is(rule: str) -> None:
    assert RULE.validate_python(rule) == rule
    assert len(rule) <= MAX_RULE


@given(
    st.sampled_from(sorted(time_zones())),
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
)
def test_a_daily_task_completed_today_is_due_tomorrow_wherever_alice_is(
    zone: str, now: datetime
) -> None:
    """By day, whether or not the clock changes in between."""
    here = today(zone, now)
    found = following("FREQ=DAILY", here, here, "due", here)
    assert found is not None
    assert found.due.toordinal() == here.toordinal() + 1


@pytest.mark.parametrize("repeat_from", ["due", "completion"])
def test_a_due_date_of_the_year_one_is_no_reason_to_count_all_days_since(
    repeat_from: From,
) -> None:
    due, now = date(1, 1, 1), date(2026, 12, 1)
    for frequency in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        found = following(f"FREQ={frequency}", due, due, repeat_from, now)
        assert found is not None
        assert now <= found.due <= date(2027, 12, 1)


def test_the_document_says_what_a_rule_is() -> None:
    assert RULE.json_schema() == {
        "type": "string",
        "format": "recurrence-rule",
        "maxLength": MAX_RULE,
    }
