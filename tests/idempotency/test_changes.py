"""Idempotency-Key on changes and deletions: what is sent again is done once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx2
import psycopg
import pytest

from api.tasks.schemas import MAX_ID
from tests.cluster import TaskDatabase
from tests.idempotency.test_idempotency import KEY, WHOLE_TABLE, is_replayed, remembered
from tests.idempotency.test_idempotency import as_superuser as as_superuser
from tests.locks import held
from tests.people import Person
from tests.problems import problem

# Method, path and body, and the status of the answer.
CHANGES: Final[dict[str, tuple[str, str, Any, int]]] = {
    "put": ("PUT", "/api/tasks/{}", {"title": "Buy bread"}, 200),
    "patch": ("PATCH", "/api/tasks/{}", {"title": "Buy bread", "due_date": "2026-12-01"}, 200),
    "complete": ("PATCH", "/api/tasks/{}/complete", {"completed": True}, 200),
    "delete": ("DELETE", "/api/tasks/{}", None, 204),
    "clear completed": ("DELETE", "/api/tasks?completed=true", None, 200),
}
change = pytest.mark.parametrize("name", CHANGES)
NAMED: Final = [name for name, (_, path, _, _) in CHANGES.items() if "{}" in path]
named = pytest.mark.parametrize("name", NAMED)


def sends(
    person: Person, name: str, task_id: int, key: str | None = KEY, **headers: str
) -> httpx2.Response:
    method, path, body, _ = CHANGES[name]
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        given["Idempotency-Key"] = key
    return person.http.request(method, path.format(task_id), json=body, headers=given)


def creates(person: Person, name: str) -> int:
    """A task that the change is about; its id."""
    task_id: int = person.creates(completed=name == "clear completed")["id"]
    return task_id


def deletes(name: str) -> bool:
    return CHANGES[name][0] == "DELETE"


@change
def test_what_is_sent_again_is_answered_as_before(alice: Person, name: str) -> None:
    task_id = creates(alice, name)
    first = sends(alice, name, task_id)
    assert first.status_code == CHANGES[name][3]
    assert "Idempotency-Replayed" not in first.headers
    after = alice.lists()
    for _ in range(2):
        assert is_replayed(sends(alice, name, task_id), first)
        assert alice.lists() == after


@change
def test_what_was_done_meanwhile_on_another_device_stays(alice: Person, name: str) -> None:
    task_id = creates(alice, name)
    first = sends(alice, name, task_id)
    if not deletes(name):
        alice.http.patch(
            f"/api/tasks/{task_id}", json={"title": "Buy two breads", "completed": False}
        )
    alice.creates("Done meanwhile", completed=True)
    after = alice.lists()
    assert is_replayed(sends(alice, name, task_id), first)
    assert alice.lists() == after


def test_a_deletion_that_is_sent_again_has_no_body_either(alice: Person) -> None:
    task_id = creates(alice, "delete")
    for _ in range(2):
        answer = sends(alice, "delete", task_id)
        assert (answer.status_code, answer.content) == (204, b"")
        assert not {"content-type", "content-length"} & {*answer.headers}
    assert answer.headers["Idempotency-Replayed"] == "true"
    problem(sends(alice, "delete", task_id, None), 404)  # the control


def test_what_is_cleared_again_is_counted_as_before(alice: Person) -> None:
    for _ in range(3):
        alice.creates(completed=True)
    for _ in range(2):
        assert sends(alice, "clear completed", 0).json() == {"deleted": 3}
    assert sends(alice, "clear completed", 0, None).json() == {"deleted": 0}  # the control


@named
def test_the_condition_is_part_of_what_is_asked(alice: Person, name: str) -> None:
    task_id = creates(alice, name)
    first = sends(alice, name, task_id, If_Match='"1"')
    assert first.status_code == CHANGES[name][3]
    after = alice.lists()
    for other in ({"If_Match": '"2"'}, {"If_Match": "*"}, {"If_Match": 'W/"1"'}, {}):
        (error,) = problem(sends(alice, name, task_id, **other), 422, "idempotency-key-reused")[
            "errors"
        ]
        assert error["header"] == "Idempotency-Key"
        assert alice.lists() == after
    assert is_replayed(sends(alice, name, task_id, If_Match='"1"'), first)


@change
@pytest.mark.parametrize("other", CHANGES)
def test_a_key_is_not_for_another_change(alice: Person, name: str, other: str) -> None:
    here, there = creates(alice, name), creates(alice, other)
    first = sends(alice, name, here)
    assert first.is_success
    again, after = sends(alice, other, there), alice.lists()
    if name == other == "clear completed":
        assert is_replayed(again, first)
    else:
        problem(again, 422, "idempotency-key-reused")
    assert is_replayed(sends(alice, name, here), first)
    assert alice.lists() == after


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "other",
    [{"title": "Buy jam"}, {"title": "Buy bread", "description": None}, {"description": None}, {}],
)
def test_a_key_is_not_for_a_change_to_something_else(
    alice: Person, method: str, other: dict[str, Any]
) -> None:
    address = f"/api/tasks/{alice.creates(description='Two')['id']}"

    def changes(body: dict[str, Any]) -> httpx2.Response:
        return alice.http.request(method, address, json=body, headers={"Idempotency-Key": KEY})

    first = changes({"title": "Buy bread"})
    problem(changes(other), 422, "idempotency-key-reused")
    assert is_replayed(changes({"title": "Buy bread"}), first)
    assert alice.lists() == [first.json()]


@named
def test_a_refusal_does_not_use_the_key_up(
    alice: Person, as_superuser: psycopg.Connection, name: str
) -> None:
    task_id = creates(alice, name)
    problem(sends(alice, name, MAX_ID), 404, "no-such-task")
    problem(sends(alice, name, task_id, If_Match='"7"'), 412, "precondition-failed")
    problem(sends(alice, name, task_id, If_Match="7"), 400, "malformed-request")
    assert remembered(as_superuser, alice) == []
    assert "Idempotency-Replayed" not in sends(alice, name, task_id).headers
    assert remembered(as_superuser, alice) == [KEY.strip('"')]


def test_clearing_without_saying_what_does_not_use_the_key_up(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    task_id = creates(alice, "clear completed")
    problem(alice.http.delete("/api/tasks", headers={"Idempotency-Key": KEY}), 422)
    assert remembered(as_superuser, alice) == []
    assert alice.sees(task_id)


@change
def test_of_many_at_once_one_does_it_and_the_others_hear_of_it(alice: Person, name: str) -> None:
    task_id = creates(alice, name)
    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(lambda _: sends(alice, name, task_id), range(6))]
    (first,) = [one for one in answers if "Idempotency-Replayed" not in one.headers]
    assert first.status_code == CHANGES[name][3]
    assert sum(is_replayed(one, first) for one in answers) == 5


@change
def test_when_the_first_is_killed_nothing_of_it_is_left(
    alice: Person, database: TaskDatabase, as_superuser: psycopg.Connection, name: str
) -> None:
    task_id = creates(alice, name)
    before = alice.lists()
    with ThreadPoolExecutor(1) as pool:
        with held(database.superuser, WHOLE_TABLE) as waiting:
            first = pool.submit(sends, alice, name, task_id)
            (pid,) = waiting(1)
            as_superuser.execute("select pg_terminate_backend(%s)", [pid])
            problem(first.result(), 503, "unavailable")
        assert alice.lists() == before
    assert remembered(as_superuser, alice) == []
    again = sends(alice, name, task_id)
    assert again.status_code == CHANGES[name][3]
    assert "Idempotency-Replayed" not in again.headers


@pytest.mark.evidence("idempotency-keys")
@named
def test_bob_s_same_key_changes_nothing_of_hers(alice: Person, bob: Person, name: str) -> None:
    hers = creates(alice, name)
    done = sends(alice, name, hers)
    after = alice.lists()
    problem(sends(bob, name, hers), 404, "no-such-task")
    assert alice.lists() == after
    assert is_replayed(sends(alice, name, hers), done)
    his = creates(bob, name)
    own = sends(bob, name, his)  # the control: the key is his, too
    assert own.status_code == CHANGES[name][3]
    assert "Idempotency-Replayed" not in own.headers
