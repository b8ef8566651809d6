"""The life of a task, as one person sees it over HTTP."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.people import Person
from tests.server import people_of

MEMBERS = ["id", "user_id", "title", "description", "completed", "priority", "tags"]
MEMBERS += ["due_date", "due_time", "time_zone", "repeat", "repeat_from", "completed_at", "next_id"]
MEMBERS += ["uid", "created_at", "updated_at", "version"]
MISSING = 2**53 - 1
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

changing = pytest.mark.parametrize("method", ["PUT", "PATCH"])


@pytest.fixture
def as_superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    """The only one who can write somebody's row without being them."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        yield connection


def stored_version(as_superuser: psycopg.Connection, task: dict[str, Any]) -> int:
    row = as_superuser.execute("select version from task where id = %s", [task["id"]]).fetchone()
    assert row is not None
    return int(row[0])


# create and read


def test_alice_creates_a_task_and_reads_it_back(alice: Person) -> None:
    answer = alice.http.post("/api/tasks", json={"title": "  Buy milk  "})
    assert answer.status_code == 201
    task = answer.json()
    assert list(task) == MEMBERS
    assert task["title"] == "Buy milk"
    assert task["user_id"] == alice.id
    assert task["description"] is None
    assert task["completed"] is False
    assert type(task["id"]) is int
    assert DATE.fullmatch(task["created_at"])
    assert task["updated_at"] == task["created_at"]
    assert answer.headers["Location"] == f"/api/tasks/{task['id']}"
    assert answer.headers["Content-Type"] == "application/json"
    assert alice.http.get(answer.headers["Location"]).json() == task


def test_alice_creates_a_task_with_everything_said(alice: Person) -> None:
    task = alice.creates("Buy milk", description="Two litres", completed=True)
    assert (task["description"], task["completed"]) == ("Two litres", True)
    assert alice.sees(task["id"]) == task


def test_an_empty_description_is_not_a_missing_one(alice: Person) -> None:
    assert alice.creates(description="")["description"] == ""
    assert alice.creates(description=None)["description"] is None


@pytest.mark.evidence("sql-injection")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467 picnic", id="a family of emoji"),
        pytest.param("\U0001fae9", id="an emoji newer than Python's tables"),
        pytest.param("\u05e7\u05e0\u05d4 \u05d7\u05dc\u05d1", id="right to left"),
        pytest.param("cafe\u0301", id="combining, not normalized"),
        pytest.param("caf\u00e9", id="precomposed"),
        pytest.param("\U0001f1f3\U0001f1f1", id="a flag"),
        pytest.param("'; drop table task; --", id="quotes"),
        pytest.param('\\ "quoted" \\u0041 </script>', id="what JSON escapes"),
        pytest.param("one\ttab\nline\r\x01\x1f\x7f\u2028end", id="controls"),
        pytest.param("\u2003a\u200b", id="an invisible neighbour"),
        pytest.param("%s %(x)s {} $1 :name", id="placeholders"),
    ],
)
def test_text_comes_back_as_it_went(alice: Person, text: str) -> None:
    task = alice.creates(text.strip(), description=text)
    assert (task["title"], task["description"]) == (text.strip(), text)
    assert alice.sees(task["id"]) == task
    assert alice.lists() == [task]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-21 08:00:00+00", "2026-11-21T08:00:00.000000Z"),
        ("2026-11-21 08:00:00.5+00", "2026-11-21T08:00:00.500000Z"),
        ("2026-11-21 01:30:00.000001+05:30", "2026-11-20T20:00:00.000001Z"),
        ("0999-01-01 00:00:00+00", "0999-01-01T00:00:00.000000Z"),
    ],
)
def test_a_date_is_utc_with_six_digits(
    alice: Person, as_superuser: psycopg.Connection, written: str, read: str
) -> None:
    as_superuser.execute(
        "insert into task (user_id, title, created_at, updated_at) values (%s, 'Old', %s, %s)",
        [alice.id, written, written],
    )
    (task,) = alice.lists()
    assert (task["created_at"], task["updated_at"]) == (read, read)
    assert alice.sees(task["id"]) == task


def test_a_date_is_utc_wherever_the_database_lives(own_database: TaskDatabase) -> None:
    with psycopg.connect(own_database.superuser) as connection:
        connection.execute(
            "do $$ begin execute format("
            "'alter database %I set timezone to %L', current_database(), 'Asia/Kathmandu'"
            "); end $$"
        )
    with people_of(own_database) as people:
        task = people.person("alice").creates()
    created_at = datetime.fromisoformat(task["created_at"])
    assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=1)


# list


def test_alice_who_has_nothing_lists_nothing(alice: Person) -> None:
    answer = alice.http.get("/api/tasks")
    assert (answer.status_code, answer.text) == (200, "[]")
    assert answer.headers["Link"] == '</api/tasks>; rel="first"'


def test_the_list_is_alice_s_own_newest_first(alice: Person, bob: Person) -> None:
    mine = []
    for title in ("first", "second", "third"):
        mine.append(alice.creates(title))
        bob.creates(title)
    assert alice.lists() == mine[::-1]


def test_the_list_can_be_of_what_is_completed_or_what_is_not(alice: Person) -> None:
    done, open_ = alice.creates("done", completed=True), alice.creates("open")
    assert alice.lists(completed="true") == [done]
    assert alice.lists(completed="false") == [open_]
    assert alice.lists() == [open_, done]


@pytest.mark.evidence("one-heavy-request")
def test_a_list_holds_a_thousand_at_most_and_says_there_are_more(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    as_superuser.execute(
        "insert into task (user_id, title) select %s, n::text from generate_series(1, 1001) n",
        [alice.id],
    )
    answer = alice.http.get("/api/tasks")
    assert [task["title"] for task in answer.json()] == [str(n) for n in range(1001, 1, -1)]
    assert [task["title"] for task in alice.http.get(answer.links["next"]["url"]).json()] == ["1"]


# change


@changing
@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Buy bread"},
        {"description": "One loaf"},
        {"description": ""},
        {"description": None},
        {"completed": False},
        {"title": "Buy bread", "description": None, "completed": False},
    ],
    ids=lambda changes: " and ".join(f"{k}={v!r}" for k, v in changes.items()),
)
def test_what_is_said_changes_and_what_is_left_out_stays(
    alice: Person, as_superuser: psycopg.Connection, method: str, changes: dict[str, Any]
) -> None:
    task = alice.creates("Buy milk", description="Two litres", completed=True)
    answer = alice.http.request(method, f"/api/tasks/{task['id']}", json=changes)
    assert answer.status_code == 200
    changed = answer.json()
    own = {name: changed[name] for name in ("updated_at", "completed_at")}
    assert changed == task | changes | own | {"version": 2}
    assert list(changed) == MEMBERS
    assert changed["updated_at"] > task["updated_at"]
    assert stored_version(as_superuser, task) == 2
    assert alice.sees(task["id"]) == changed


@changing
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": " Buy milk "},
        {"description": "Two litres"},
        {"completed": True},
        {"title": "Buy milk", "description": "Two litres", "completed": True},
    ],
    ids=str,
)
def test_what_is_so_already_changes_nothing(
    alice: Person, as_superuser: psycopg.Connection, method: str, changes: dict[str, Any]
) -> None:
    task = alice.creates("Buy milk", description="Two litres", completed=True)
    answer = alice.http.request(method, f"/api/tasks/{task['id']}", json=changes)
    assert (answer.status_code, answer.json()) == (200, task)
    assert stored_version(as_superuser, task) == 1


def test_updated_at_never_moves_backwards(alice: Person, as_superuser: psycopg.Connection) -> None:
    task = alice.creates()
    with as_superuser.transaction():
        as_superuser.execute("set local session_replication_role = replica")  # no trigger
        as_superuser.execute(
            "update task set updated_at = '2999-01-01 00:00:00+00' where id = %s", [task["id"]]
        )
    changed = alice.http.patch(f"/api/tasks/{task['id']}", json={"title": "Buy bread"}).json()
    assert changed["title"] == "Buy bread"
    assert changed["updated_at"] == "2999-01-01T00:00:00.000000Z"


# complete


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("said", [True, False])
def test_complete_sets_what_is_said(alice: Person, before: bool, said: bool) -> None:
    task = alice.creates(completed=before, description="Two litres")
    answer = alice.http.patch(f"/api/tasks/{task['id']}/complete", json={"completed": said})
    assert answer.status_code == 200
    changed = {name: answer.json()[name] for name in ("completed_at", "updated_at", "version")}
    assert answer.json() == task | {"completed": said} | changed
    assert (changed["updated_at"] > task["updated_at"]) is (before is not said)
    assert changed["version"] == (1 if before is said else 2)
    assert alice.sees(task["id"]) == answer.json()


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param({}, id="no body"),
        pytest.param({"headers": {"Content-Type": "application/json"}}, id="an empty body"),
        pytest.param({"json": {}}, id="an empty object"),
    ],
)
def test_complete_toggles_when_nothing_is_said(alice: Person, nothing: dict[str, Any]) -> None:
    task = alice.creates()
    address = f"/api/tasks/{task['id']}/complete"
    states = [alice.http.patch(address, **nothing).json()["completed"] for _ in range(3)]
    assert states == [True, False, True]


# delete, and what is not there


def test_a_deleted_task_is_gone_and_its_neighbour_is_not(alice: Person) -> None:
    task, neighbour = alice.creates(), alice.creates()
    answer = alice.http.delete(f"/api/tasks/{task['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert alice.http.delete(f"/api/tasks/{task['id']}").status_code == 404
    assert alice.sees(task["id"]) is None
    assert alice.lists() == [neighbour]


@pytest.mark.evidence("existence")
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "Mine now"}),
        ("PUT", "", {}),
        ("PATCH", "", {"title": "Mine now"}),
        ("PATCH", "/complete", {"completed": True}),
        ("PATCH", "/complete", None),
        ("DELETE", "", None),
    ],
)
def test_bob_cannot_tell_alice_s_task_from_none_at_all(
    alice: Person, bob: Person, method: str, suffix: str, body: object
) -> None:
    task = alice.creates()
    foreign, missing = (
        bob.http.request(
            method, f"/api/tasks/{task_id}{suffix}", json=body, headers={"X-Request-Id": "one"}
        )
        for task_id in (task["id"], MISSING)
    )
    assert foreign.status_code == 404
    assert foreign.content == missing.content
    kept = {"date", "ratelimit"}  # of the answer itself
    assert {k: v for k, v in foreign.headers.items() if k not in kept} == {
        k: v for k, v in missing.headers.items() if k not in kept
    }
    assert alice.sees(task["id"]) == task


def test_a_query_padded_without_end_says_what_it_says(alice: Person) -> None:
    for title in ("Buy milk", "Buy bread"):
        alice.http.post("/api/tasks", json={"title": title})
    for padding in ("", "&" * 50, "&" * 5_000):
        assert len(alice.http.get(f"/api/tasks?limit=1{padding}").json()) == 1
        assert alice.http.get(f"/api/tasks?limit=0{padding}").status_code == 422
