"""Lists: in which order, which tasks, how many of them, and how many there are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.people import People, Person
from tests.problems import problem

NOON: Final = datetime(2026, 3, 4, 12, 0, 0, 500_000, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SORTS: Final = ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]
DATES: Final = ["created_after", "created_before", "updated_after", "updated_before"]
HALF_PAST_FIVE: Final = timezone(timedelta(hours=5, minutes=30))

# Title, whether it is completed, minutes after noon of its creation and of its last change. Some
# were made in the same moment, some changed in the same moment, some have the same title.
TASKS: Final = [
    ("Buy milk", False, 0, 9),
    ("buy milk", True, 0, 8),
    ("Éclair", False, 1, 8),
    ("eclair", True, 2, 8),
    ("Buy milk", False, 3, 7),
    ("Жук", True, 3, 6),
    ("日本", False, 3, 5),
    ("10", True, 4, 5),
    ("9", False, 5, 5),
    ("_", False, 5, 5),
    ("Buy milk", True, 5, 5),
]


@pytest.fixture(scope="module")
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """The only one who can say when a task was made."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(server: str, as_superuser: psycopg.Connection) -> Iterator[Person]:
    """Somebody with these tasks, who changes nothing; bob has the same."""
    people = People(server)
    reader, bob = people.person("alice"), people.person("bob")
    with as_superuser.cursor() as cursor:
        cursor.executemany(
            "insert into task (user_id, title, completed, created_at, updated_at)"
            " values (%s, %s, %s, %s, %s)",
            [
                (
                    person.id,
                    title,
                    completed,
                    NOON + timedelta(minutes=created),
                    NOON + timedelta(minutes=updated),
                )
                for title, completed, created, updated in TASKS
                for person in (reader, bob)
            ],
        )
    yield reader
    people.leave()


@pytest.fixture(scope="module")
def hers(reader: Person) -> list[dict[str, Any]]:
    """The reader's tasks, in the order of their ids."""
    tasks = sorted(reader.lists(), key=lambda task: int(task["id"]))
    assert [task["title"] for task in tasks] == [title for title, *_ in TASKS]
    return tasks


def ids(tasks: list[dict[str, Any]]) -> list[int]:
    return [task["id"] for task in tasks]


# order


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
def test_a_list_sorted_by_a_date_has_ties_in_the_order_of_ids(
    reader: Person, hers: list[dict[str, Any]], column: str
) -> None:
    earliest_first = sorted(hers, key=lambda task: (task[column], task["id"]))
    assert reader.lists(sort=column) == earliest_first
    assert reader.lists(sort=f"-{column}") == earliest_first[::-1]


def test_a_list_sorted_by_title_is_so_as_postgresql_sorts(
    reader: Person, hers: list[dict[str, Any]], as_superuser: psycopg.Connection
) -> None:
    rows = as_superuser.execute(
        "select id from task where user_id = %s order by title, id", [reader.id]
    ).fetchall()
    found = reader.lists(sort="title")
    assert ids(found) == [task_id for (task_id,) in rows]
    assert [task["title"] for task in found][:3] == ["10", "9", "Buy milk"]
    assert reader.lists(sort="-title") == found[::-1]


def test_a_list_has_the_newest_first_unless_it_is_asked_for_another_way(
    reader: Person, hers: list[dict[str, Any]]
) -> None:
    newest_first = sorted(hers, key=lambda task: (task["created_at"], task["id"]), reverse=True)
    assert reader.lists() == newest_first
    for sort in SORTS:
        assert (reader.lists(sort=sort) == newest_first) is (sort == "-created_at")


# which tasks


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("completed", [True, False])
def test_what_is_completed_or_is_not_is_listed_in_the_same_order(
    reader: Person, hers: list[dict[str, Any]], sort: str, completed: bool
) -> None:
    wanted = [task for task in reader.lists(sort=sort) if task["completed"] is completed]
    assert reader.lists(sort=sort, completed=str(completed).lower()) == wanted
    assert 0 < len(wanted) < len(hers)


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize("minutes", [-1, 0, 3, 5, 8, 10])
@pytest.mark.parametrize("beside", [-MICROSECOND, timedelta(0), MICROSECOND])
def test_a_date_leaves_out_its_own_moment_to_the_microsecond(
    reader: Person, hers: list[dict[str, Any]], name: str, minutes: int, beside: timedelta
) -> None:
    moment = NOON + timedelta(minutes=minutes) + beside
    event, side = name.split("_")
    wanted = [
        task
        for task in reader.lists()
        if (date := datetime.fromisoformat(task[f"{event}_at"])) != moment
        and (date > moment) is (side == "after")
    ]
    assert reader.lists(**{name: moment.isoformat()}) == wanted


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-04T12:03:00.5Z",
        "2026-03-04T12:03:00.500000Z",
        "2026-03-04t12:03:00.50z",
        "2026-03-04T12:03:00.500-00:00",
        "2026-03-04T17:33:00.5+05:30",
        "2026-03-03T13:03:00.5-23:00",
        "2026-03-05T12:02:00.5+23:59",
        "2026-03-04 12:03:00.5Z",
        "2026-03-04 17:33:00.5+05:30",
        "2026-03-04T12:03:00.5000000Z",
        "2026-03-04T12:03:00.500000999999999Z",
        f"2026-03-04T12:03:00.5{'0' * 1000}9Z",
    ],
)
def test_a_moment_is_the_same_wherever_its_clock_hangs(
    reader: Person, hers: list[dict[str, Any]], written: str
) -> None:
    after, before = reader.lists(created_after=written), reader.lists(created_before=written)
    assert {task["title"] for task in after} == {"10", "9", "_", "Buy milk"}
    assert {task["title"] for task in before} == {"Buy milk", "buy milk", "Éclair", "eclair"}
    assert len(after) == len(before) == 4


def test_the_plus_of_a_time_zone_is_a_space_unless_it_is_escaped(
    reader: Person, hers: list[dict[str, Any]]
) -> None:
    written = "2026-03-04T17:33:00.5%2B05:30"
    assert len(reader.http.get(f"/api/tasks?created_after={written}").json()) == 4
    answer = reader.http.get("/api/tasks?created_after=" + written.replace("%2B", "+"))
    assert faults(answer) == ["created_after"]


def test_the_first_and_the_last_moment_there_are(
    reader: Person, hers: list[dict[str, Any]]
) -> None:
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"
    assert ids(reader.lists(created_after=first, created_before=last)) == ids(reader.lists())
    assert reader.lists(created_before=first) == reader.lists(updated_after=last) == []


def test_everything_asked_for_must_be_so(reader: Person, hers: list[dict[str, Any]]) -> None:
    asked: dict[str, Any] = {
        "completed": "false",
        "created_after": (NOON - MICROSECOND).isoformat(),
        "created_before": (NOON + timedelta(minutes=4)).isoformat(),
        "updated_after": (NOON + timedelta(minutes=6)).isoformat(),
        "updated_before": (NOON + timedelta(minutes=9)).isoformat(),
        "q": "MILK buy",
        "sort": "title",
        "limit": 10,
    }
    assert ids(reader.lists(**asked)) == [hers[4]["id"]]
    # each of them matters
    also = {
        "completed": hers[1],
        "updated_before": hers[0],
        "q": hers[2],
    }
    for name, task in also.items():
        rest = {key: value for key, value in asked.items() if key != name}
        assert set(ids(reader.lists(**rest))) == {hers[4]["id"], task["id"]}
    for name, moment in {
        "created_after": NOON + timedelta(minutes=3),
        "created_before": NOON + timedelta(minutes=3),
        "updated_after": NOON + timedelta(minutes=7),
    }.items():
        assert reader.lists(**asked | {name: moment.isoformat()}) == []


# how many


@pytest.mark.parametrize(
    ("limit", "offset", "relations"),
    [
        (2, 0, {"next"}),
        (10, 0, {"next"}),
        (11, 0, set()),
        (12, 0, set()),
        (1000, 0, set()),
        (1, 1, {"prev", "next"}),
        (9, 1, {"prev", "next"}),
        (10, 1, {"prev"}),
        (1, 10, {"prev"}),
        (1, 11, set()),
        (1000, 10_000, set()),
    ],
)
def test_a_page_names_its_neighbours_exactly_when_there_are_any(
    reader: Person, hers: list[dict[str, Any]], limit: int, offset: int, relations: set[str]
) -> None:
    everything = reader.lists()
    answer = reader.http.get("/api/tasks", params={"limit": limit, "offset": offset})
    assert answer.json() == everything[offset : offset + limit]
    assert set(answer.links) == {"first"} | relations
    first, *_ = (reader.http.get(link["url"]).json() for link in answer.links.values())
    assert first == everything[:limit]
    if "next" in relations:
        after = reader.http.get(answer.links["next"]["url"]).json()
        assert after == everything[offset + limit :][:limit]
    if "prev" in relations:
        before = reader.http.get(answer.links["prev"]["url"]).json()
        assert before == everything[max(offset - limit, 0) : offset]


# what is refused


def faults(answer: Any) -> list[str]:
    return [error["parameter"] for error in problem(answer, 422, "invalid-input")["errors"]]


NO_DATE: Final = [
    "",
    "2026-03-04",
    "2026-03-04T12:00:00",
    "2026-03-04  12:00:00Z",
    "2026-03-04_12:00:00Z",
    "2026-03-04\t12:00:00Z",
    "2026-03-04\u00a012:00:00Z",
    "2026-03-04T12:00:00 Z",
    "2026-03-04T12:00Z",
    "2026-03-04T24:00:00Z",
    "2026-03-04T12:60:00Z",
    "2026-03-04T12:00:61Z",
    "2026-03-04T12:00:00.Z",
    "2026-03-04T12:00:00.1234567",
    "2026-03-04T12:00:60",
    "2026-03-04T12:60:60Z",
    "2026-03-04T24:00:60Z",
    "2026-03-04T12:00:00,5Z",
    "2026-03-04T12:00:00+0530",
    "2026-03-04T12:00:00+24:00",
    "2026-03-04T12:00:00+05:60",
    "2026-02-29T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-2026-03-04T12:00:00Z",
    "26-03-04T12:00:00Z",
    # in UTC they would be before the year 1, or after 9999
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "9999-12-31T23:59:60Z",
    "1772625600",
    "1772625600.5",
    "now",
    "infinity",
    "null",
    "٢٠٢٦-03-04T12:00:00Z",
    " 2026-03-04T12:00:00Z",
    "2026-03-04T12:00:00Z\n",
]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
        ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z"),
        ("2015-07-01T05:29:60.123456789+05:30", "2015-07-01T00:00:00.000000Z"),
        ("2026-03-04 12:02:60.9z", "2026-03-04T12:03:00.000000Z"),
    ],
)
def test_a_leap_second_is_the_first_moment_of_the_next_minute(
    alice: Person, written: str, moment: str
) -> None:
    answer = alice.http.get("/api/tasks", params={"created_after": written})
    first = parse_qs(urlsplit(answer.links["first"]["url"]).query)
    assert datetime.fromisoformat(first["created_after"][0]) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("written", NO_DATE)
def test_what_is_no_date_is_refused(alice: Person, written: str) -> None:
    for name in DATES:
        assert faults(alice.http.get("/api/tasks", params={name: written})) == [name]


REFUSED: Final = [
    ("completed=", "completed"),
    ("completed=yes", "completed"),
    ("completed=TRUE", "completed"),
    ("completed=1", "completed"),
    ("sort=", "sort"),
    ("sort=id", "sort"),
    ("sort=-id", "sort"),
    ("sort=user_id", "sort"),
    ("sort=--title", "sort"),
    ("sort=%2Btitle", "sort"),
    ("sort=Title", "sort"),
    ("sort=title,id", "sort"),
    ("sort=NEWEST", "sort"),
    ("limit=", "limit"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=1001", "limit"),
    ("limit=1.0", "limit"),
    ("limit=1e2", "limit"),
    ("limit=ten", "limit"),
    ("limit=99999999999999999999", "limit"),
    ("offset=", "offset"),
    ("offset=-1", "offset"),
    ("offset=10001", "offset"),
    ("offset=9007199254740991", "offset"),
    ("offset=0x1", "offset"),
    ("offset=1&cursor=", "cursor"),
    ("cursor=x&offset=10000", "cursor"),
]


@pytest.mark.parametrize(("query", "parameter"), REFUSED)
def test_what_cannot_be_asked_is_refused(alice: Person, query: str, parameter: str) -> None:
    assert faults(alice.http.get(f"/api/tasks?{query}")) == [parameter]


def test_the_bounds_of_what_can_be_asked(alice: Person) -> None:
    task = alice.creates()
    for query in ("limit=1", "limit=1000", "offset=0", "limit=0001"):
        assert alice.http.get(f"/api/tasks?{query}").json() == [task]
    assert alice.lists(offset=10_000) == []


def test_a_cursor_may_come_with_an_offset_of_nothing(alice: Person) -> None:
    for title in ("Buy milk", "Buy bread"):
        alice.creates(title)
    url = alice.http.get("/api/tasks?limit=1").links["next"]["url"]
    assert alice.http.get(f"{url}&offset=0").json() == alice.http.get(url).json() != []
    assert faults(alice.http.get(f"{url}&offset=1")) == ["cursor"]


# how many there are


def total(person: Person, preference: str | None, query: str = "") -> tuple[str | None, str | None]:
    headers = {} if preference is None else {"Prefer": preference}
    answer = person.http.get(f"/api/tasks{query}", headers=headers)
    assert answer.status_code == 200
    return answer.headers.get("X-Total-Count"), answer.headers.get("Preference-Applied")


@pytest.mark.parametrize(
    "preference",
    [
        "count=exact",
        "COUNT=exact",
        'count="exact"',
        "count = exact",
        "return=minimal, count=exact",
        "count=exact,handling=lenient",
    ],
)
def test_who_prefers_to_is_told_how_many_there_are(
    reader: Person, hers: list[dict[str, Any]], preference: str
) -> None:
    assert total(reader, preference) == (str(len(hers)), "count=exact")


@pytest.mark.parametrize(
    "preference",
    [
        None,
        "",
        "count",
        "count=none",
        "count=estimated",
        "count=exactly",
        "discount=exact",
        "return=minimal",
        "respond-async, wait=10",
        "count=exact-ish, return=representation",
    ],
)
def test_who_prefers_something_else_or_nothing_is_not(
    reader: Person, hers: list[dict[str, Any]], preference: str | None
) -> None:
    assert total(reader, preference) == (None, None)


def test_preferences_on_two_lines_are_one_list(reader: Person, hers: list[dict[str, Any]]) -> None:
    lines = [("Prefer", "return=minimal"), ("Prefer", "count=exact")]
    answer = reader.http.get("/api/tasks", headers=lines)
    assert answer.headers["X-Total-Count"] == str(len(hers))


@pytest.mark.parametrize(
    "asked",
    [
        {"completed": "true"},
        {"q": "milk"},
        {"q": "milk", "completed": "false"},
        {"created_after": NOON.isoformat()},
        {"created_before": NOON.isoformat()},
        {"updated_after": NOON.astimezone(HALF_PAST_FIVE).isoformat(), "sort": "title"},
        {"q": "nothing of the kind"},
    ],
    ids=str,
)
def test_counted_is_what_would_be_listed(
    reader: Person, hers: list[dict[str, Any]], asked: dict[str, str]
) -> None:
    answer = reader.http.get(
        "/api/tasks", params=asked | {"limit": "1"}, headers={"Prefer": "count=exact"}
    )
    assert len(answer.json()) <= 1
    assert answer.headers["X-Total-Count"] == str(len(reader.lists(**asked)))


def test_the_total_is_the_same_on_every_page(reader: Person, hers: list[dict[str, Any]]) -> None:
    first = reader.http.get("/api/tasks?limit=4&completed=false")
    for relation in ("first", "next"):
        url = first.links[relation]["url"]
        answer = reader.http.get(url, headers={"Prefer": "count=exact"})
        assert answer.headers["X-Total-Count"] == "6"
    assert total(reader, "count=exact", "?completed=false&offset=5") == ("6", "count=exact")
