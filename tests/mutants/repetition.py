"""Tags, due dates, and what repeats."""

from typing import Final

from tests.mutants.mutant import mutants

REPETITION: Final = [
    *mutants(
        "api/tasks/tags.py",
        ("a tag holds a comma", 'if "," in text:', "if False:"),
        ("a tag holds a control", "if _UNFIT.search(text):", "if False:"),
        ("a tag shows nothing", "    AfterValidator(shown),\n", ""),
        ("a tag is not trimmed", "strict=True, strip_whitespace=True", "strict=True"),
        ("a tag is there in every case", "key, tag in zip(folded(tags)", "key, tag in zip(tags"),
        ("the last spelling of a tag stays", "first.setdefault(key, tag)", "first[key] = tag"),
        ("case is folded letter by letter", "tag.casefold()", "tag.lower()"),
        ("a tag has 51 characters", "MAX_TAG: Final = 50", "MAX_TAG: Final = 51"),
        ("a task has 21 tags", "MAX_TAGS: Final = 20", "MAX_TAGS: Final = 21"),
        ("a filter of no tags is one of a blank tag", 'if value == "":', "if False:"),
        witness="tasks/test_tags.py",
    ),
    *mutants(
        "api/tasks/due.py",
        ("a due date is any ISO 8601", "and _DAY.fullmatch(value):", ":"),
        ("a due time is only searched for", "re.fullmatch(_TIME, text)", "re.match(_TIME, text)"),
        (
            "a zone is in any case",
            "if text not in time_zones():",
            "if text.title() not in {*map(str.title, time_zones())}:",
        ),
        (
            "a machine without a zone is a zone",
            "frozenset(names) - {_PLACEHOLDER}",
            "frozenset(names)",
        ),
        ("today is in UTC everywhere", "time_zone(zone) if zone in time_zones() else UTC", "UTC"),
        (
            "a zone that is not known here is an error",
            "if zone in time_zones() else UTC",
            "if zone else UTC",
        ),
        (
            "zones are the host's",
            "return ZoneInfo.from_file(file, key=name)",
            "return ZoneInfo.no_cache(name)",
        ),
        witness="tasks/test_due.py",
    ),
    *mutants(
        "api/tasks/repetition.py",
        (
            "a month without the day is skipped",
            "range(min(anchor.day, 28), anchor.day + 1)",
            "range(anchor.day, anchor.day + 1)",
        ),
        (
            "31 January makes 28 March",
            "range(min(anchor.day, 28), anchor.day + 1)",
            "range(min(due.day, 28), due.day + 1)",
        ),
        ("a short month is due four times", "days = (max(month) for _, month in months)", "pass"),
        ("a fortnight is counted from today", "latest - (latest - first) % interval", "latest"),
        (
            "what is past is due",
            "earliest = max(due + timedelta(1), today)",
            "earliest = due + timedelta(1)",
        ),
        ("what is due today is past", "if day >= earliest:", "if day > earliest:"),
        ("the same day is due again", "if day > due)", "if day >= due)"),
        ("a completion counts from the due date", "due = anchor = today", "anchor = today"),
        ("a completion keeps the day of the month", "due = anchor = today", "due = today"),
        ("skipped days do not count", "str(count - number)", "str(count - 1)"),
        ("a count is one too many", "number == count:", "number > count > 0:"),
        ("until is not the last day", "if day > until or", "if day >= until or"),
        ("nothing ends a rule", "if day > until or", "if"),
        ("a count goes on for centuries", "> MAX_COUNTED_YEARS:", "> 10_000:"),
        ("a rule may end before it is due", "_date(until) < due", "False"),
        ("a rule may end the day before it is due", "_date(until) < due", "_date(until) <= due"),
        ("the week begins when the process says", 'f"{rule};WKST=MO"', "rule"),
        (
            "the year 10000 is a fault",
            "except ValueError:\n        pass",
            "except KeyError:\n        pass",
        ),
        ("a rule need not occur", "if not _occurs(parts):", "if False:"),
        ("a rule has both ends", 'if "COUNT" in parts and "UNTIL" in parts:', "if False:"),
        (
            "a week has days of a month",
            'if parts["FREQ"] == "WEEKLY" and "BYMONTHDAY" in parts:',
            "if False:",
        ),
        (
            "a part is given twice",
            "if name in parts:\n            raise",
            "if False:\n            raise",
        ),
        ("a letter becomes ASCII", "if not text.isascii():", "if False:"),
        (
            "days of a week are numbered",
            'if parts["FREQ"] in ("DAILY", "WEEKLY"):\n            raise',
            "if False:\n            raise",
        ),
        ("days are numbered and are not", "if len(numbered) < len(found):", "if False:"),
        ("a month has six Mondays", "if max(numbered) > most:", "if False:"),
        ("an interval of one is said", 'if parts.get("INTERVAL") == "1":', "if False:"),
        (
            "a list stays as it was written",
            "sorted(numbers, key=lambda number: (number < 0, number))",
            "numbers",
        ),
        witness="tasks/test_repetition.py",
    ),
]
