"""A task that was read may be sent back whole: its read-only members are compared with the row."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import httpx2
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.sql import operators

from api.database.allowed import OPERATORS
from api.database.resource import Resource
from api.tasks.models import Task
from api.tasks.queries import TASK
from api.tasks.schemas import TaskChanges, TaskUpdate
from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.plans import executed
from tests.problems import MARK, problem

READ_ONLY: Final = ["id", "user_id", "created_at", "updated_at"]
NULLABLE: Final = ["completed_at", "next_id", "uid"]  # which are read-only, too
# What none of alice's tasks has.
OTHERS: Final[dict[str, Any]] = {
    "id": 2**53 - 1,
    "user_id": MARK,
    "created_at": "2000-02-29T00:00:00Z",
    "updated_at": "2999-12-31T23:59:59.999999Z",
}
changing = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def sends(
    person: Person, method: str, task_id: int, body: object, if_match: str | None = None
) -> httpx2.Response:
    headers = {} if if_match is None else {"If-Match": if_match}
    return person.http.request(method, f"/api/tasks/{task_id}", json=body, headers=headers)


def pointers(answer: httpx2.Response) -> list[str]:
    return [error["pointer"] for error in problem(answer, 422, "invalid-input")["errors"]]


# what is so


@changing
def test_a_task_that_was_read_may_be_sent_back_whole(alice: Person, method: str) -> None:
    made = alice.creates("Buy milk", description="Two litres")
    (listed,) = alice.lists()
    assert made == listed == alice.sees(made["id"])
    answer = sends(alice, method, made["id"], listed)
    assert (answer.status_code, answer.json()) == (200, made), "nothing is changed"
    assert answer.headers["ETag"] == f'"{made["version"]}"'
    changed = sends(alice, method, made["id"], listed | {"title": "Buy bread"})
    assert changed.status_code == 200
    assert changed.json()["title"] == "Buy bread"
    assert changed.json()["version"] == made["version"] + 1
    assert alice.lists() == [changed.json()]


@changing
@pytest.mark.parametrize("member", [*READ_ONLY, "version"])
def test_a_member_that_cannot_be_changed_may_be_sent_alone(
    alice: Person, method: str, member: str
) -> None:
    task = alice.creates()
    answer = sends(alice, method, task["id"], {member: task[member]})
    assert (answer.status_code, answer.json()) == (200, task)
    answer = sends(alice, method, task["id"], {member: task[member], "completed": True})
    assert answer.json()["completed"] is True


def rewritten(date: str) -> list[str]:
    """The same moment, as others write it."""
    moment = datetime.fromisoformat(date)
    abroad = moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    return [abroad, date.replace("Z", "+00:00"), date.lower(), date.replace("Z", "789z")]


def test_a_date_is_the_moment_that_it_names(alice: Person) -> None:
    task = alice.creates()
    for member in ("created_at", "updated_at"):
        for written in rewritten(task[member]):
            answer = sends(alice, "PUT", task["id"], task | {member: written})
            assert (answer.status_code, answer.json()) == (200, task), written
        later = datetime.fromisoformat(task[member]) + timedelta(microseconds=1)
        answer = sends(alice, "PUT", task["id"], {member: later.isoformat()})
        assert pointers(answer) == [f"#/{member}"]


# what is not so


@changing
@pytest.mark.parametrize("member", READ_ONLY)
def test_what_differs_is_named_and_nothing_is_changed(
    alice: Person, method: str, member: str
) -> None:
    task = alice.creates()
    for rest in ({}, {"title": "Buy bread"}, task, task | {"title": "Buy bread"}):
        answer = sends(alice, method, task["id"], rest | {member: OTHERS[member]})
        assert pointers(answer) == [f"#/{member}"]
        assert "ETag" not in answer.headers
    assert alice.lists() == [task]


def test_everything_that_differs_is_named(alice: Person) -> None:
    task = alice.creates()
    answer = sends(alice, "PUT", task["id"], task | OTHERS | {"title": "Buy bread"})
    assert sorted(pointers(answer)) == sorted(f"#/{member}" for member in READ_ONLY)
    assert alice.lists() == [task]


@changing
@pytest.mark.parametrize("member", READ_ONLY)
@pytest.mark.parametrize("wrong", [None, True, {}, [], "", "yesterday", 1.5, -1, "\0", 2**64])
def test_what_it_cannot_be_at_all_is_refused(
    alice: Person, method: str, member: str, wrong: object
) -> None:
    task = alice.creates()
    answer = sends(alice, method, task["id"], task | {member: wrong})
    assert pointers(answer) == [f"#/{member}"]
    assert alice.lists() == [task]


@pytest.mark.parametrize("wrong", [None, True, {}, "1", 1.5, 0, -1, 2**53])
def test_what_is_no_version_is_refused(alice: Person, wrong: object) -> None:
    task = alice.creates()
    assert pointers(sends(alice, "PUT", task["id"], task | {"version": wrong})) == ["#/version"]
    assert alice.lists() == [task]


@changing
def test_another_version_is_a_conflict_whatever_else_differs(alice: Person, method: str) -> None:
    read = alice.creates()
    now = sends(alice, "PATCH", read["id"], {"title": "Buy bread"}).json()
    for body in (
        read,
        {"version": 1},
        {"version": 3, "completed": True},
        now | OTHERS | {"version": 3},
    ):
        answer = sends(alice, method, read["id"], body)
        assert problem(answer, 412, "precondition-failed")["current"] == now
        assert answer.headers["ETag"] == '"2"'
    assert alice.lists() == [now]


@pytest.mark.parametrize(
    ("version", "if_match", "status"),
    [
        (2, '"2"', 200),
        (2, '"1", "2"', 200),
        (2, "*", 200),
        (2, '"1"', 412),
        (2, 'W/"2"', 412),
        (1, '"2"', 412),
        (1, "*", 412),
        (1, '"1"', 412),
        (1, '"1", "2"', 412),
    ],
)
def test_the_version_and_the_tag_must_both_be_right(
    alice: Person, version: int, if_match: str, status: int
) -> None:
    task = alice.creates()
    sends(alice, "PATCH", task["id"], {"completed": True})
    answer = sends(alice, "PUT", task["id"], {"version": version, "title": "x"}, if_match)
    assert answer.status_code == status


def test_a_conflict_comes_before_what_differs_and_a_fault_before_both(alice: Person) -> None:
    task = alice.creates()
    problem(sends(alice, "PUT", task["id"], OTHERS, '"7"'), 412, "precondition-failed")
    assert pointers(sends(alice, "PUT", task["id"], OTHERS | {"title": 7}, '"7"')) == ["#/title"]


@changing
def test_what_is_not_there_is_not_found_whatever_is_sent(
    alice: Person, bob: Person, method: str
) -> None:
    his = bob.creates()
    missing = alice.creates()
    alice.http.delete(f"/api/tasks/{missing['id']}")
    for task in (his, missing):
        for body in (task, task | OTHERS, {"version": 7}, {"id": 7}):
            problem(sends(alice, method, task["id"], body), 404, "no-such-task")
            problem(sends(alice, method, task["id"], body, '"7"'), 404, "no-such-task")
    assert bob.lists() == [his]


@pytest.mark.parametrize("member", [*READ_ONLY, "version"])
def test_a_new_task_takes_none_of_them(alice: Person, member: str) -> None:
    task = alice.creates()
    body = {"title": "Buy bread", member: task[member]}
    assert pointers(alice.http.post("/api/tasks", json=body)) == [f"#/{member}"]
    assert pointers(alice.http.post("/api/tasks/bulk", json=[body])) == [f"#/0/{member}"]
    answer = alice.http.patch(f"/api/tasks/{task['id']}/complete", json={member: task[member]})
    assert pointers(answer) == [f"#/{member}"]
    assert alice.lists() == [task]


@changing
def test_when_it_was_completed_and_what_follows_are_compared_too(
    alice: Person, method: str
) -> None:
    made = alice.creates(due_date="2999-01-31", repeat="FREQ=DAILY")
    done = sends(alice, method, made["id"], made | {"completed": True}).json()
    assert None not in (done["completed_at"], done["next_id"])
    assert sends(alice, method, done["id"], done).json() == done
    for member, others in (
        ("completed_at", [None, done["created_at"]]),
        ("next_id", [None, done["id"]]),
    ):
        for other in others:
            assert pointers(sends(alice, method, done["id"], {member: other})) == [f"#/{member}"]
            answer = sends(alice, method, done["id"], done | {member: other, "title": "x"})
            assert pointers(answer) == [f"#/{member}"]
    undone = sends(alice, method, done["id"], done | {"completed": False}).json()
    assert (undone["completed_at"], undone["next_id"]) == (None, done["next_id"])
    assert pointers(sends(alice, method, done["id"], {"completed_at": done["completed_at"]})) == [
        "#/completed_at"
    ]


# in the moment of the change


@pytest.mark.parametrize("first", [{"title": "Buy bread"}, {}, None])
def test_what_was_read_is_compared_in_the_moment_of_the_change(
    alice: Person, database: TaskDatabase, first: dict[str, Any] | None
) -> None:
    """Somebody else's change, or deletion, waits for the same row and comes first."""
    task = alice.creates()
    address = f"/api/tasks/{task['id']}"
    second = {"updated_at": task["updated_at"], "completed": True}
    with ThreadPoolExecutor(2) as pool:
        lock = "select from task where id = %s for update"
        with held(database.superuser, lock, task["id"]) as waiting:
            one = pool.submit(
                alice.http.request, "DELETE" if first is None else "PATCH", address, json=first
            )
            waiting(1)
            other = pool.submit(sends, alice, "PATCH", task["id"], second)
            waiting(2)
        winner, loser = one.result(), other.result()
    assert winner.is_success
    if first is None:
        problem(loser, 404, "no-such-task")
    elif first:
        assert pointers(loser) == ["#/updated_at"]
        assert alice.lists() == [winner.json()]
    else:
        assert loser.json()["completed"] is True


# whatever table it is


def test_every_member_that_is_read_is_taken_back() -> None:
    members = {*TaskUpdate.__annotations__}
    assert members == {*TaskChanges.__annotations__, *READ_ONLY, *NULLABLE, "version"}
    compared = {*TASK.expected({"id": 1})}
    assert compared == {
        *(f"read_{member}" for member in READ_ONLY + NULLABLE),
        *(f"has_read_{member}" for member in NULLABLE),
    }


@pytest.mark.parametrize(
    ("stored", "given", "differing"),
    [
        (None, {}, ""),
        (None, {"description": None}, ""),
        (None, {"description": ""}, "description "),
        ("", {"description": ""}, ""),
        ("", {"description": None}, "description "),
        ("x", {"description": "y"}, "description "),
        ("x", {"description": None, "id": 1}, "id description "),
    ],
)
def test_a_read_only_member_may_be_null(
    alice: Person, database: TaskDatabase, stored: str | None, given: dict[str, Any], differing: str
) -> None:
    notes = Resource(
        Task, read=["id", "description", "version"], created=["title"], changed=["title"]
    )
    task = alice.creates(description=stored)
    given = {"id": task["id"]} | given
    values = notes.changes({"title": "x"}) | notes.expected(given)
    values |= {"id": task["id"], "versions": None}
    with psycopg.connect(database.direct) as connection:
        connection.execute("select set_config('app.user_id', %s, true)", [alice.id])
        connection.execute(f"prepare asked as {notes.update_whole.sql}".encode())
        row = connection.execute(
            sql.SQL("{}").format(executed("asked", alice.id, notes.update_whole, values))
        ).fetchone()
        connection.rollback()
    assert row is not None
    assert row[-1] == differing
    assert (row[0] is None) is (differing != "")
    assert operators.is_distinct_from in OPERATORS
