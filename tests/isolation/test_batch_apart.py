"""Alice and Bob send batches: none of his operations reaches or tells anything of hers.

Every test runs twice: with both walls, and with the explicit filters alone.
"""

import uuid
from typing import Any, Final

import pytest

from api.tasks.schemas import MAX_ID
from tests.batches import results, sends, statuses
from tests.people import Person
from tests.problems import problem

# Each operation on a task, as one that its owner may do.
OPERATIONS: Final[dict[str, dict[str, Any]]] = {
    "update": {"op": "update", "title": "Taken", "completed": True},
    "update nothing": {"op": "update"},
    "update what is read-only": {"op": "update", "title": "Taken", "next_id": None},
    "complete": {"op": "complete"},
    "reopen": {"op": "complete", "completed": False},
    "delete": {"op": "delete"},
}
operation = pytest.mark.parametrize("name", OPERATIONS)
by = pytest.mark.parametrize("by", ["id", "uid"])
CONDITIONS: Final = [{}, {"if_version": 1}, {"if_version": 999}]
MISSING: Final = {"id": MAX_ID, "uid": str(uuid.UUID(int=MAX_ID))}


def uid() -> str:
    return str(uuid.uuid4())


@operation
@by
def test_alice_reaches_her_own_task(alice: Person, name: str, by: str) -> None:
    task = alice.creates(uid=uid())
    (result,) = results(alice, OPERATIONS[name] | {by: task[by]})
    assert result["status"] == (204 if name == "delete" else 200)


@pytest.mark.evidence("by-id", "existence")
@operation
@by
@pytest.mark.parametrize("atomic", [False, True])
def test_bob_cannot_reach_hers_and_cannot_tell_it_from_nobodys(
    alice: Person, bob: Person, name: str, by: str, atomic: bool
) -> None:
    hers = alice.creates(uid=uid())
    before = alice.http.get(f"/api/tasks/{hers['id']}")
    for condition in CONDITIONS:
        for_hers, for_nobodys = (
            results(bob, OPERATIONS[name] | condition | {by: place}, atomic=atomic)[0]
            for place in (hers[by], MISSING[by])
        )
        assert for_hers["status"] == for_nobodys["status"] == 404
        assert "current" not in for_hers["body"]
        del for_hers["body"]["request_id"], for_nobodys["body"]["request_id"]
        assert for_hers == for_nobodys
    assert alice.http.get(f"/api/tasks/{hers['id']}").content == before.content


@pytest.mark.evidence("by-id")
def test_of_his_batch_what_is_his_is_done_and_what_is_hers_is_missing(
    alice: Person, bob: Person
) -> None:
    hers, his = alice.creates(uid=uid()), bob.creates(uid=uid())
    found = results(
        bob,
        {"op": "delete", "id": hers["id"]},
        {"op": "complete", "id": his["id"]},
        {"op": "update", "uid": hers["uid"], "title": "Taken"},
        {"op": "update", "uid": his["uid"], "title": "His"},
        {"op": "create", "title": "New"},
    )
    assert statuses(found) == [404, 200, 404, 200, 201]
    assert {one["body"]["user_id"] for one in found if one["status"] < 400} == {bob.id}
    assert alice.lists() == [hers]
    assert bob.lists() == [found[4]["body"], found[3]["body"]]


@pytest.mark.evidence("existence")
def test_bob_may_make_a_task_of_the_uid_of_hers_and_is_told_nothing(
    alice: Person, bob: Person
) -> None:
    there, gone = uid(), uid()
    hers = alice.creates("Alice's", uid=there)
    alice.http.delete(f"/api/tasks/{alice.creates(uid=gone)['id']}")
    make = [{"op": "create", "title": "Bob's", "uid": one} for one in (there, gone, uid())]
    complete = [{"op": "complete", "uid": one["uid"]} for one in make]
    found = results(bob, *make, *complete)
    assert statuses(found) == [201] * 3 + [200] * 3
    assert {one["body"]["user_id"] for one in found} == {bob.id}
    assert alice.lists() == [hers]


@pytest.mark.evidence("idempotency-keys")
def test_bob_s_key_of_a_batch_is_his_own(alice: Person, bob: Person) -> None:
    operations = [{"op": "create", "title": "Mine"}]
    hers = sends(alice, operations, key="both")
    his = sends(bob, operations, key="both")
    assert "Idempotency-Replayed" not in his.headers
    assert his.json()["results"][0]["body"]["user_id"] == bob.id
    assert sends(alice, operations, key="both").content == hers.content
    assert len(alice.lists()) == len(bob.lists()) == 1


@pytest.mark.evidence("no-token")
def test_a_stranger_s_batch_is_not_looked_at(alice: Person, stranger: Person) -> None:
    hers = alice.creates()
    for operations in ([{"op": "delete", "id": hers["id"]}], 7):
        problem(sends(stranger, operations), 401, "unauthorized")
    assert alice.lists() == [hers]
