"""When alice's tasks are due and when they were completed: members, filters and order."""

import random
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.people import Person
from tests.problems import problem
from tests.walks import walk

changing = pytest.mark.parametrize("method", ["PUT", "PATCH"])
WHOLE: Final[dict[str, Any]] = {
    "due_date": "2026-12-01",
    "due_time": "09:30",
    "time_zone": "Europe/Berlin",
    "repeat": "FREQ=DAILY",
    "repeat_from": "completion",
}
NOTHING: Final = dict.fromkeys(("due_date", "due_time", "time_zone", "repeat")) | {
    "repeat_from": "due"
}


def pointers(answer: Any) -> set[str]:
    return {error["pointer"] for error in problem(answer, 422, "invalid-input")["errors"]}


def members_of(task: dict[str, Any]) -> dict[str, Any]:
    return {name: task[name] for name in WHOLE}


def test_a_task_is_due_when_alice_says(alice: Person) -> None:
    task = alice.creates(**WHOLE)
    assert members_of(task) == WHOLE
    assert alice.sees(task["id"]) == task
    assert alice.lists() == [task]
    assert members_of(alice.creates()) == NOTHING


@pytest.mark.parametrize("day", ["0001-01-01", "0999-12-31", "2028-02-29", "9999-12-31"])
@pytest.mark.parametrize("time", ["00:00", "23:59", None])
def test_any_day_and_time_comes_back_as_it_went(alice: Person, day: str, time: str | None) -> None:
    task = alice.creates(due_date=day, due_time=time)
    assert (task["due_date"], task["due_time"]) == (day, time)
    assert alice.sees(task["id"]) == task


@changing
def test_null_clears_and_what_is_left_out_stays(alice: Person, method: str) -> None:
    path = f"/api/tasks/{alice.creates(**WHOLE)['id']}"
    for said in (
        {"title": "x"},
        {"repeat_from": None},
        {"repeat": None},
        {"time_zone": None},
        {"due_time": None},
        {"due_date": None},
        WHOLE,
        NOTHING,
    ):
        before = members_of(alice.http.get(path).json())
        answer = alice.http.request(method, path, json=said)
        assert answer.status_code == 200, answer.text
        default = {"repeat_from": "due"} if said.get("repeat_from", "x") is None else {}
        expected = before | {name: said[name] for name in WHOLE if name in said} | default
        assert members_of(answer.json()) == expected


WRONG: Final[dict[str, list[object]]] = {
    "due_date": ["2026-02-30", "2026-12-01T00:00:00Z", "tomorrow", "", "20261201", 20261201, True],
    "due_time": ["24:00", "9:00", "09:00:00", "", 900, [], "09:00Z"],
    "time_zone": ["Mars/Olympus", "europe/berlin", "+01:00", "", 1, "../etc/passwd"],
    "repeat": ["", "daily", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=WEEKLY;BYDAY=XX", 1],
    "repeat_from": ["Due", "", "start", 1, [], False],
}


@pytest.mark.parametrize(
    ("name", "wrong"), [(name, wrong) for name in WRONG for wrong in WRONG[name]]
)
def test_what_it_cannot_be_is_refused_by_name(alice: Person, name: str, wrong: object) -> None:
    task = alice.creates(**WHOLE)
    body = {"title": "x"} | WHOLE | {name: wrong}
    for method, path, sent, pointer in (
        ("POST", "", body, f"#/{name}"),
        ("POST", "/bulk", [{"title": "y"}, body], f"#/1/{name}"),
        ("PUT", f"/{task['id']}", body, f"#/{name}"),
        ("PATCH", f"/{task['id']}", {name: wrong}, f"#/{name}"),
    ):
        answer = alice.http.request(method, f"/api/tasks{path}", json=sent)
        assert pointers(answer) == {pointer}
    assert alice.lists() == [task]


# rules about two members

BROKEN: Final[list[tuple[dict[str, Any], str]]] = [
    ({"due_time": "09:30"}, "due_time"),
    ({"due_date": "2026-12-01", "time_zone": "UTC"}, "time_zone"),
    ({"time_zone": "UTC"}, "time_zone"),
    ({"repeat": "FREQ=DAILY"}, "repeat"),
    ({"due_time": "09:30", "time_zone": "UTC"}, "due_time"),
    ({"due_time": "09:30", "time_zone": "UTC", "repeat": "FREQ=DAILY"}, "due_time repeat"),
    ({"time_zone": "UTC", "repeat": "FREQ=DAILY"}, "time_zone repeat"),
    ({"due_date": "2026-12-02", "repeat": "FREQ=DAILY;UNTIL=20261201"}, "repeat"),
]


@pytest.mark.parametrize(("members", "named"), BROKEN, ids=str)
def test_a_new_task_lacks_nothing_that_another_member_needs(
    alice: Person, members: dict[str, Any], named: str
) -> None:
    answer = alice.http.post("/api/tasks", json={"title": "x"} | members)
    assert pointers(answer) == {f"#/{name}" for name in named.split()}
    several = [{"title": "x"}, {"title": "x"} | WHOLE, {"title": "x"} | members]
    answer = alice.http.post("/api/tasks/bulk", json=several)
    assert pointers(answer) == {f"#/2/{name}" for name in named.split()}
    assert alice.lists() == []


@changing
@pytest.mark.parametrize(("members", "named"), BROKEN, ids=str)
def test_nor_does_one_that_is_changed(
    alice: Person, method: str, members: dict[str, Any], named: str
) -> None:
    task = alice.creates()
    answer = alice.http.request(method, f"/api/tasks/{task['id']}", json=members)
    assert pointers(answer) == {f"#/{name}" for name in named.split()}
    assert alice.sees(task["id"]) == task


@changing
@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"due_date": None}, "due_time repeat"),
        ({"due_date": None, "repeat": None}, "due_time"),
        ({"due_date": None, "repeat": None, "due_time": None}, "time_zone"),
        ({"due_time": None}, "time_zone"),
        ({"due_date": None, "due_time": None, "time_zone": None}, "repeat"),
        ({"repeat": "FREQ=DAILY;UNTIL=20261130"}, "repeat"),
        ({"due_date": "2026-12-25", "repeat": "FREQ=DAILY;UNTIL=20261224"}, "repeat"),
    ],
    ids=str,
)
def test_what_another_needs_is_not_taken_away(
    alice: Person, method: str, said: dict[str, Any], named: str
) -> None:
    task = alice.creates(**WHOLE)
    answer = alice.http.request(method, f"/api/tasks/{task['id']}", json={"title": "y"} | said)
    assert pointers(answer) == {f"#/{name}" for name in named.split()}
    assert alice.sees(task["id"]) == task


def test_a_later_due_date_is_not_after_the_last_day_of_the_rule(alice: Person) -> None:
    task = alice.creates(due_date="2026-12-01", repeat="FREQ=DAILY;UNTIL=20261224")
    path = f"/api/tasks/{task['id']}"
    assert pointers(alice.http.patch(path, json={"due_date": "2026-12-25"})) == {"#/repeat"}
    assert alice.http.patch(path, json={"due_date": "2026-12-24"}).status_code == 200
    assert alice.http.patch(path, json={"due_date": "2026-12-25", "repeat": None}).is_success


def test_a_task_of_nobodys_tells_no_rule(alice: Person, bob: Person) -> None:
    task = bob.creates(**WHOLE)
    problem(alice.http.patch(f"/api/tasks/{task['id']}", json={"due_date": None}), 404)


# filters


@pytest.fixture
def planned(alice: Person, bob: Person) -> Person:
    for person in (bob, alice):
        person.creates("first", due_date="2026-11-30", due_time="23:59")
        person.creates("day", due_date="2026-12-01")
        person.creates("midnight", due_date="2026-12-01", due_time="00:00")
        person.creates("last", due_date="2026-12-02", due_time="00:00", completed=True)
        person.creates("never")
    return alice


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"due_before": "2026-12-01"}, ["first"]),
        ({"due_before": "2026-12-02"}, ["day", "first", "midnight"]),
        ({"due_after": "2026-12-01"}, ["last"]),
        ({"due_after": "2026-11-30"}, ["day", "last", "midnight"]),
        ({"due_after": "2026-11-30", "due_before": "2026-12-02"}, ["day", "midnight"]),
        ({"due_after": "2026-11-30", "completed": "false"}, ["day", "midnight"]),
        ({"due": "none"}, ["never"]),
        ({"due": "none", "due_before": "2030-01-01"}, []),
        ({"due_after": "0001-01-01"}, ["day", "first", "last", "midnight"]),
        ({"due_after": "9999-12-31"}, []),
        ({"due_before": "0001-01-01"}, []),
    ],
    ids=str,
)
def test_tasks_are_found_by_the_day_on_which_they_are_due(
    planned: Person, parameters: dict[str, str], found: list[str]
) -> None:
    answer = planned.http.get("/api/tasks", params=parameters, headers={"Prefer": "count=exact"})
    assert sorted(task["title"] for task in answer.json()) == found
    assert {task["user_id"] for task in answer.json()} <= {planned.id}
    assert answer.headers["X-Total-Count"] == str(len(found))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *[
            (name, wrong)
            for name in ("due_before", "due_after")
            for wrong in ("", "2026-02-30", "2026-12-01T00:00:00Z", "today", "none", "20261201")
        ],
        *[("due", wrong) for wrong in ("", "None", "null", "2026-12-01", "today")],
        *[
            (name, wrong)
            for name in ("completed_after", "completed_before")
            for wrong in ("", "2026-12-01", "now")
        ],
        *[("sort", wrong) for wrong in ("due_at", "due", "+due_date", "--priority", "tags")],
    ],
)
def test_a_filter_that_says_nothing_is_refused(alice: Person, name: str, wrong: str) -> None:
    answer = alice.http.get("/api/tasks", params={name: wrong})
    assert {error["parameter"] for error in problem(answer, 422)["errors"]} == {name}


@pytest.mark.parametrize(
    "query",
    ["due=none&due=none", "due_before=2026-12-01&due_before=2026-12-02"],
)
def test_a_filter_is_given_once(alice: Person, query: str) -> None:
    problem(alice.http.get(f"/api/tasks?{query}"), 422, "invalid-input")


# completed_at


def test_it_is_completed_at_the_moment_when_it_is_completed(alice: Person) -> None:
    task = alice.creates()
    assert task["completed_at"] is None
    path = f"/api/tasks/{task['id']}"
    done = alice.http.patch(f"{path}/complete").json()
    assert task["created_at"] < done["completed_at"] == done["updated_at"]
    renamed = alice.http.patch(path, json={"title": "x", "completed": True}).json()
    assert renamed["completed_at"] == done["completed_at"]
    assert alice.http.patch(f"{path}/complete", json={"completed": True}).json() == renamed
    assert alice.http.put(path, json={"completed": False}).json()["completed_at"] is None
    again = alice.http.put(path, json={"completed": True}).json()
    assert again["completed_at"] > done["completed_at"]


def test_a_task_created_completed_was_completed_then(alice: Person) -> None:
    task = alice.creates(completed=True)
    assert task["completed_at"] == task["created_at"] == task["updated_at"]
    (both,) = alice.http.post("/api/tasks/bulk", json=[{"title": "x", "completed": True}]).json()
    assert both["completed_at"] == both["created_at"]


@pytest.mark.parametrize("member", ["completed_at", "next_id"])
def test_nobody_says_when_it_was_completed_nor_what_follows(alice: Person, member: str) -> None:
    task = alice.creates()
    wrong = {"completed_at": "2026-12-01T00:00:00Z", "next_id": task["id"]}[member]
    answer = alice.http.post("/api/tasks", json={"title": "x", member: None})
    assert pointers(answer) == {f"#/{member}"}
    for method in ("PUT", "PATCH"):
        path = f"/api/tasks/{task['id']}"
        answer = alice.http.request(method, path, json={"title": "y", member: wrong})
        assert pointers(answer) == {f"#/{member}"}
        assert alice.http.request(method, path, json={member: None}).json() == task


def test_tasks_are_found_by_when_they_were_completed(alice: Person, bob: Person) -> None:
    bob.creates(completed=True)
    alice.creates("open")
    first, second = (alice.creates(title, completed=True) for title in ("first", "second"))
    moments = first["completed_at"], second["completed_at"]
    for parameters, found in (
        ({"completed_after": moments[0]}, [second]),
        ({"completed_before": moments[1]}, [first]),
        ({"completed_after": moments[0], "completed_before": moments[1]}, []),
        ({"completed_after": "2000-01-01T00:00:00Z"}, [second, first]),
        ({"completed_after": "2000-01-01T00:00:00Z", "completed": "false"}, []),
    ):
        assert alice.lists(**parameters) == found


# order

DAYS: Final = [None, "2026-11-30", "2026-12-01", "2026-12-01", "2026-12-02"]
TIMES: Final = [None, "00:00", "09:30", "23:59"]


def due(task: dict[str, Any]) -> tuple[str, str]:
    return task["due_date"], task["due_time"] or "24:00"


def expected(tasks: list[dict[str, Any]], sort: str) -> list[int]:
    """The ids as the contract has them in order: what has none last, either way."""
    name, down = sort.removeprefix("-"), sort.startswith("-")

    def place(task: dict[str, Any]) -> Any:
        return due(task) if name == "due_date" else task[name]

    there = [task for task in tasks if task[name] is not None]
    lacking = [task for task in tasks if task[name] is None]
    there.sort(key=lambda task: (place(task), task["id"]), reverse=down)
    lacking.sort(key=lambda task: int(task["id"]), reverse=down)
    return [task["id"] for task in there + lacking]


def scatters(person: Person, chance: random.Random, number: int) -> None:
    body = []
    for n in range(number):
        day = chance.choice(DAYS)
        members = {"due_date": day, "due_time": day and chance.choice(TIMES)}
        body.append({"title": f"{n}", "completed": chance.random() < 0.5} | members)
    assert person.http.post("/api/tasks/bulk", json=body).status_code == 201


@pytest.mark.parametrize("sort", ["due_date", "-due_date", "completed_at", "-completed_at"])
@pytest.mark.parametrize("limit", [1, 3, 7, 29, 30])
def test_they_are_sorted_and_what_has_none_is_last(alice: Person, sort: str, limit: int) -> None:
    chance = random.Random(limit)  # noqa: S311 - which must be the same each time
    for number in (5, 10, 15):  # what is created at once is completed at once
        scatters(alice, chance, number)
    wanted = expected(alice.lists(), sort)
    first = alice.http.get(f"/api/tasks?sort={sort}&limit={limit}")
    pages = [*walk(alice, "next", first)]
    assert [task["id"] for page in pages for task in page.json()] == wanted
    back = [*walk(alice, "prev", pages[-1])]
    assert [task["id"] for page in back[::-1] for task in page.json()] == wanted


@pytest.mark.parametrize("sort", ["due_date", "-due_date", "priority", "-completed_at"])
@pytest.mark.parametrize("seed", range(4))
def test_a_walk_meets_each_once_though_others_are_written_meanwhile(
    alice: Person, sort: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - which must be the same each time
    scatters(alice, chance, 20)
    there = {task["id"]: task for task in alice.lists()}
    met: list[int] = []
    for page in walk(alice, "next", alice.http.get(f"/api/tasks?sort={sort}&limit=3")):
        met += [task["id"] for task in page.json()]
        scatters(alice, chance, 2)
        gone = chance.choice([*there])
        if alice.http.delete(f"/api/tasks/{gone}").is_success:
            del there[gone]
    kept = [task_id for task_id in met if task_id in there]
    assert kept == expected([*there.values()], sort)


@pytest.mark.parametrize("cursor_of", ["due_date", "-due_date", "priority", "completed_at"])
def test_a_cursor_is_of_one_order_only(alice: Person, cursor_of: str) -> None:
    for _ in range(3):
        alice.creates(due_date="2026-12-01", priority="low", completed=True)
    url = alice.http.get(f"/api/tasks?sort={cursor_of}&limit=1").links["next"]["url"]
    assert alice.http.get(url).is_success
    other = url.replace(f"sort={cursor_of}", "sort=title")
    assert problem(alice.http.get(other), 400)["errors"][0]["parameter"] == "cursor"


# what was there before


def test_what_was_completed_before_it_was_noted_has_no_moment(
    alice: Person, database: TaskDatabase
) -> None:
    task = alice.creates(completed=True)
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no trigger
        connection.execute("update task set completed_at = null where id = %s", [task["id"]])
    path = f"/api/tasks/{task['id']}"
    changed = alice.http.patch(path, json={"title": "x"}).json()
    assert (changed["completed"], changed["completed_at"]) == (True, None)
    assert alice.http.patch(path, json={"completed": False}).json()["completed_at"] is None
    done = datetime.fromisoformat(alice.http.patch(f"{path}/complete").json()["completed_at"])
    assert abs((datetime.now(UTC) - done).total_seconds()) < 60
