"""Whoever changes tasks takes the person's head first, and holds no task while they wait for it: so
two who change the same tasks never wait for each other."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx2
import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.server import people_of

HEAD: Final = "select from sync_head where user_id = %s for update"
KEY: Final = {"Idempotency-Key": "one"}
# Each way to change what is there, of a task that is completed and repeats.
CHANGES: Final[dict[str, Callable[[Person, dict[str, Any]], httpx2.Response]]] = {
    "PATCH": lambda alice, task: alice.http.patch(
        f"/api/tasks/{task['id']}", json={"title": "Taken"}
    ),
    "PUT, as it was read": lambda alice, task: alice.http.put(
        f"/api/tasks/{task['id']}", json=task | {"title": "Taken"}
    ),
    "PATCH, to be completed": lambda alice, task: alice.http.patch(
        f"/api/tasks/{task['id']}", json={"completed": True}
    ),
    "complete": lambda alice, task: alice.http.patch(f"/api/tasks/{task['id']}/complete"),
    "complete, with a key": lambda alice, task: alice.http.patch(
        f"/api/tasks/{task['id']}/complete", headers=KEY
    ),
    "delete": lambda alice, task: alice.http.delete(f"/api/tasks/{task['id']}"),
    "clear completed": lambda alice, _: alice.http.delete("/api/tasks?completed=true"),
    "bulk": lambda alice, _: alice.http.post("/api/tasks/bulk", json=[{"title": "x"}] * 3),
}


def while_it_waits_for_the_head(database: TaskDatabase, alice: Person, name: str) -> None:
    """Another, who has the head, locks every task. Raises `LockNotAvailable`."""
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    alice.creates(completed=True)
    with ThreadPoolExecutor(1) as pool:
        with held(database.superuser, HEAD, alice.id) as waiting:
            change = pool.submit(CHANGES[name], alice, task)
            waiting(1)
            with psycopg.connect(database.superuser) as other:
                other.execute("set local lock_timeout = '100ms'")
                other.execute("select from task where user_id = %s for update", [alice.id])
        assert change.result().is_success


@pytest.mark.parametrize("name", CHANGES)
def test_who_waits_for_the_head_holds_no_task(
    database: TaskDatabase, alice: Person, name: str
) -> None:
    while_it_waits_for_the_head(database, alice, name)


@pytest.mark.parametrize("name", sorted({*CHANGES} - {"bulk"}))
def test_without_the_statement_s_trigger_it_would(own_database: TaskDatabase, name: str) -> None:
    """The control."""
    with psycopg.connect(own_database.superuser) as superuser:
        superuser.execute("drop trigger task_hold on task")
    with people_of(own_database) as people, pytest.raises(LockNotAvailable):
        while_it_waits_for_the_head(own_database, people.person("alice"), name)


def test_who_waits_for_the_head_has_their_key_already(
    database: TaskDatabase, alice: Person
) -> None:
    """So of two with one key the second waits for the key, and holds no head."""
    task = alice.creates()
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, HEAD, alice.id) as waiting:
            one = pool.submit(CHANGES["complete, with a key"], alice, task)
            waiting(1)
            other = pool.submit(CHANGES["complete, with a key"], alice, task)
            waiting(2)
            with psycopg.connect(database.superuser) as superuser:
                keys = "select pid from pg_locks where relation = 'idempotency_key'::regclass"
                assert len({*superuser.execute(keys).fetchall()}) == 2
        answers = [one.result(), other.result()]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert alice.sees(task["id"])["completed"] is True  # type: ignore[index]


def random_change(alice: Person, chance: random.Random) -> httpx2.Response:
    task = chance.choice(alice.lists(limit=20) or [alice.creates()])
    return CHANGES[chance.choice(sorted(CHANGES))](alice, task)


def test_all_of_it_at_once_never_deadlocks(
    database: TaskDatabase, alice: Person, counted: list[str]
) -> None:
    for _ in range(8):
        alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")

    def goes_on(seed: int) -> set[int]:
        chance = random.Random(seed)  # noqa: S311 - a schedule that can be run again
        return {random_change(alice, chance).status_code for _ in range(40)}

    with ThreadPoolExecutor(4) as pool:
        seen = set[int]().union(*pool.map(goes_on, range(4)))
    assert seen <= {200, 201, 204, 404, 409, 412, 422}
    assert counted == []
