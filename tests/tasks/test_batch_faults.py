"""A batch is one transaction, and its results are bounded whatever is wrong with its operations."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psycopg
import pytest

from api.http.body import MAX_BULK_BODY
from api.http.problems import MAX_ERRORS, MAX_PROBLEM
from api.tasks.schemas import MAX_BULK
from tests.batches import BATCH, pointers, results, sends, statuses
from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import People, Person
from tests.problems import problem
from tests.server import people_of

JSON: Final = {"Content-Type": "application/json"}


@pytest.fixture
def own_people(own_database: TaskDatabase) -> Iterator[People]:
    """The people of an API whose database a test may break."""
    with people_of(own_database) as people:
        yield people


def kept_keys(database: TaskDatabase, person: Person) -> int:
    with psycopg.connect(database.superuser) as connection:
        kept = "select count(*) from idempotency_key where user_id = %s"
        (number,) = connection.execute(kept, [person.id]).fetchone() or (0,)
    return int(number)


# one transaction


@pytest.mark.parametrize("atomic", [False, True])
def test_a_fault_in_the_middle_undoes_the_whole(
    own_people: People, own_database: TaskDatabase, atomic: bool
) -> None:
    alice = own_people.person("alice")
    task = alice.creates()
    operations = [
        {"op": "create", "title": "Before"},
        {"op": "update", "id": task["id"], "title": "Never"},
        {"op": "create", "title": "After"},
    ]
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        superuser.execute("alter table task add constraint no check (title <> 'Never')")
        answer = sends(alice, operations, key="one", atomic=atomic)
        problem(answer, 500, "internal-error")
        assert alice.lists() == [task]
        assert kept_keys(own_database, alice) == 0
        superuser.execute("alter table task drop constraint no")
    again = sends(alice, operations, key="one", atomic=atomic)
    assert statuses(again.json()["results"]) == [201, 200, 201]
    assert "Idempotency-Replayed" not in again.headers


@pytest.mark.parametrize("key", [None, "one"])
def test_who_waits_too_long_for_one_task_has_done_nothing(
    alice: Person, database: TaskDatabase, key: str | None
) -> None:
    task = alice.creates()
    operations = [
        {"op": "create", "title": "Before"},
        {"op": "complete", "id": task["id"]},
        {"op": "create", "title": "After"},
    ]
    with held(database.superuser, "select from task where id = %s for update", task["id"]):
        problem(sends(alice, operations, key=key), 503, "unavailable")
        assert alice.lists() == [task]
    assert kept_keys(database, alice) == 0
    answer = sends(alice, operations, key=key)
    assert statuses(answer.json()["results"]) == [201, 200, 201]
    assert len(alice.lists()) == 3


def test_a_connection_that_breaks_in_the_middle_is_tried_again_from_the_start(
    alice: Person, database: TaskDatabase
) -> None:
    task = alice.creates()
    operations = [{"op": "create", "title": "Once"}, {"op": "complete", "id": task["id"]}]
    with ThreadPoolExecutor(1) as pool:
        with held(
            database.superuser, "select from task where id = %s for update", task["id"]
        ) as waiting:
            sent = pool.submit(sends, alice, operations)
            (pid,) = waiting(1)
            with psycopg.connect(database.superuser, autocommit=True) as superuser:
                superuser.execute("select pg_terminate_backend(%s)", [pid])
            waiting(1)
        assert statuses(sent.result().json()["results"]) == [201, 200]
    assert [one["title"] for one in alice.lists()] == ["Once", "Buy milk"]


def test_of_many_at_once_under_one_key_one_is_done(alice: Person) -> None:
    operations = [{"op": "create", "title": f"Task {n}"} for n in range(5)]
    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(lambda _: sends(alice, operations, key="one"), range(6))]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 5
    assert len(alice.lists()) == 5


def test_nothing_is_left_of_an_atomic_batch_that_ends_in_a_failure(
    alice: Person, database: TaskDatabase
) -> None:
    """Its connection serves the next one as any other."""
    for _ in range(30):
        sends(alice, [{"op": "create", "title": "x"}, {}], key="one", atomic=True)
    assert alice.lists() == []
    assert kept_keys(database, alice) == 0


# bounded


@pytest.mark.evidence("many-faults")
def test_the_problems_of_a_batch_are_as_short_as_any_other(alice: Person) -> None:
    unknown = {f"unknown {n}" * 6: 1 for n in range(200)}
    found = results(alice, *[{"op": "create", **unknown}] * 40)
    for result in found:
        assert len(result["body"]["errors"]) <= MAX_ERRORS
        assert len(json.dumps(result["body"], ensure_ascii=False).encode()) <= MAX_PROBLEM
    mixed = results(alice, *[{"op": "create", "title": 1, "tags": [1] * 9}] * MAX_BULK)
    assert pointers(mixed[0]) == ["#/title", *(f"#/tags/{n}" for n in range(9))]


@pytest.mark.evidence("many-faults")
@pytest.mark.parametrize("member", ["operations", "op", "a"])
def test_a_megabyte_of_nonsense_is_refused_without_much_being_made_of_it(
    alice: Person, member: str
) -> None:
    names = ",".join(f'"{n:05}":1' for n in range(80_000))
    content = {
        "operations": f'{{"operations": [], {names}}}',
        "op": f'{{"operations": [{{"op": "create", {names}}}]}}',
        "a": f'{{"operations": [{names.replace(":1", "")}]}}',
    }[member]
    assert len(content) < MAX_BULK_BODY
    answer = alice.http.post(BATCH, content=content, headers=JSON)
    if member == "op":
        (result,) = answer.json()["results"]
        assert len(result["body"]["errors"]) == MAX_ERRORS
    else:
        problem(answer, 422, "invalid-input")
    assert len(answer.content) <= MAX_PROBLEM + 1000
