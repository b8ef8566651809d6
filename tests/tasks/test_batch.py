"""A batch: operations in order, each answered as its own route answers it."""

import uuid
from typing import Any, Final

import pytest

from api.http.body import MAX_BULK_BODY
from api.tasks.schemas import MAX_BULK, MAX_ID
from tests.batches import BATCH, kind, pointers, results, sends, statuses
from tests.people import Person
from tests.problems import MARK, problem

JSON: Final = {"Content-Type": "application/json"}


def uid() -> str:
    return str(uuid.uuid4())


# in order


def test_what_alice_did_offline_is_done_in_its_order(alice: Person) -> None:
    milk, bread = alice.creates("Buy milk"), alice.creates("Buy bread")
    made, done, changed, gone = results(
        alice,
        {"op": "create", "title": " Call mum ", "priority": "high", "tags": ["home"]},
        {"op": "complete", "id": milk["id"]},
        {"op": "update", "id": bread["id"], "description": "Two", "due_date": "2026-12-01"},
        {"op": "delete", "id": milk["id"], "if_version": 2},
    )
    assert statuses([made, done, changed, gone]) == [201, 200, 200, 204]
    assert (done["body"]["id"], done["body"]["completed"]) == (milk["id"], True)
    assert changed["body"] == alice.sees(bread["id"])
    assert changed["body"]["description"] == "Two"
    assert made["body"]["title"] == "Call mum"
    assert alice.lists() == [made["body"], changed["body"]]


def test_each_of_a_hundred_has_its_place(alice: Person) -> None:
    made = results(alice, *({"op": "create", "title": f"Task {n}"} for n in range(MAX_BULK)))
    assert [result["body"]["title"] for result in made] == [f"Task {n}" for n in range(MAX_BULK)]
    assert [result["body"] for result in made][::-1] == alice.lists()
    done = results(alice, *({"op": "complete", "id": one["body"]["id"]} for one in made))
    assert statuses(done) == [200] * MAX_BULK
    assert {result["body"]["completed"] for result in done} == {True}


def test_nothing_at_all_is_done_too(alice: Person) -> None:
    assert results(alice) == []


def test_one_task_may_be_changed_several_times(alice: Person) -> None:
    task_id = alice.creates()["id"]
    found = results(
        alice,
        {"op": "update", "id": task_id, "title": "Buy bread"},
        {"op": "update", "id": task_id, "title": "Buy jam", "version": 2},
        {"op": "complete", "id": task_id, "if_version": 3},
        {"op": "update", "id": task_id, "title": "Buy honey", "if_version": 3},
    )
    assert statuses(found) == [200, 200, 200, 412]
    assert [one["body"]["version"] for one in found[:3]] == [2, 3, 4]
    assert found[3]["body"]["current"] == found[2]["body"] == alice.sees(task_id)


def test_completing_without_saying_so_never_toggles(alice: Person) -> None:
    task_id = alice.creates()["id"]
    complete = {"op": "complete", "id": task_id}
    found = results(alice, complete, complete, complete | {"completed": False}, complete)
    assert [one["body"]["completed"] for one in found] == [True, True, False, True]
    assert [one["body"]["version"] for one in found] == [2, 2, 3, 4]


def test_what_is_completed_repeats_in_a_batch_too(alice: Person) -> None:
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    (done,) = results(alice, {"op": "complete", "id": task["id"]})
    following = alice.sees(done["body"]["next_id"])
    assert following
    assert following["due_date"] == "2999-01-02"


# by uid


def test_a_later_operation_may_name_a_uid_that_was_made_earlier(alice: Person) -> None:
    milk, bread = uid(), uid()
    found = results(
        alice,
        {"op": "complete", "uid": milk},
        {"op": "create", "title": "Buy milk", "uid": milk},
        {"op": "update", "uid": milk, "title": "Buy oat milk"},
        {"op": "create", "title": "Buy bread", "uid": bread},
        {"op": "complete", "uid": milk.upper(), "if_version": 2},
        {"op": "delete", "uid": bread},
        {"op": "update", "uid": bread, "title": "Never"},
    )
    assert statuses(found) == [404, 201, 200, 201, 200, 204, 404]
    (task,) = alice.lists()
    assert task == found[4]["body"]
    assert (task["uid"], task["title"], task["completed"]) == (milk, "Buy oat milk", True)


def test_what_was_made_already_is_answered_as_it_is(alice: Person) -> None:
    milk, bread, jam = uid(), uid(), uid()
    there = alice.creates("Buy milk", uid=milk)
    alice.http.delete(f"/api/tasks/{alice.creates('Buy jam', uid=jam)['id']}")
    found = results(
        alice,
        {"op": "create", "title": "Buy bread", "uid": bread},
        {"op": "create", "title": "Buy milk again", "uid": milk},
        {"op": "create", "title": "Without"},
        {"op": "create", "title": "Buy jam", "uid": jam},
        {"op": "create", "title": "Buy bread again", "uid": bread},
        {"op": "create", "title": "Without, too"},
    )
    assert statuses(found) == [201, 200, 201, 409, 200, 201]
    assert found[1]["body"] == there
    assert found[4]["body"] == found[0]["body"]
    assert kind(found[3]) == "was-deleted"
    assert [error["pointer"] for error in found[3]["body"]["errors"]] == ["#/uid"]
    titles = [found[n]["body"]["title"] for n in (5, 2, 0)]
    assert titles == ["Without, too", "Without", "Buy bread"]
    assert [task["title"] for task in alice.lists()] == [*titles, "Buy milk"]


def test_what_is_deleted_in_a_batch_is_not_made_again_in_it(alice: Person) -> None:
    milk = uid()
    make = {"op": "create", "title": "Buy milk", "uid": milk}
    found = results(alice, make, {"op": "delete", "uid": milk}, make)
    assert statuses(found) == [201, 204, 409]
    assert alice.lists() == []


@pytest.mark.parametrize("op", ["update", "complete", "delete"])
def test_by_uid_a_task_that_is_gone_is_as_missing_as_by_id(alice: Person, op: str) -> None:
    milk = uid()
    task_id = alice.creates(uid=milk)["id"]
    alice.http.delete(f"/api/tasks/{task_id}")
    found = results(
        alice,
        {"op": op, "uid": milk},
        {"op": op, "id": task_id},
        {"op": op, "uid": uid()},
        {"op": op, "id": MAX_ID},
    )
    assert statuses(found) == [404] * 4
    assert all(one == found[0] for one in found)


def test_of_a_task_that_is_named_by_id_the_uid_is_compared(alice: Person) -> None:
    milk = uid()
    task = alice.creates(uid=milk)
    whole = {"op": "update", **task, "title": "Buy oat milk"}
    (changed,) = results(alice, whole)
    assert changed["status"] == 200
    (refused,) = results(alice, {"op": "update", **changed["body"], "uid": uid()})
    assert pointers(refused) == ["#/uid"]
    assert alice.sees(task["id"]) == changed["body"]


# what fails stops nothing else

ID: Final = 7
INVALID: Final[dict[str, tuple[Any, list[str]]]] = {
    "no object": (7, ["#"]),
    "null": (None, ["#"]),
    "a list": ([], ["#"]),
    "nothing": ({}, ["#/op"]),
    "no op": ({"title": "x"}, ["#/op"]),
    "an unknown op": ({"op": f"{MARK}"}, ["#/op"]),
    "an op that is a list": ({"op": ["create"]}, ["#/op"]),
    "an op in capitals": ({"op": "Create", "title": "x"}, ["#/op"]),
    "no title": ({"op": "create"}, ["#/title"]),
    "an empty title": ({"op": "create", "title": "", "priority": "x"}, ["#/title", "#/priority"]),
    "a tag that is none": ({"op": "create", "title": "x", "tags": ["a", ""]}, ["#/tags/1"]),
    "a rule about two members": (
        {"op": "create", "title": "x", "due_time": "09:30"},
        ["#/due_time"],
    ),
    "NUL": ({"op": "create", "title": "a\0"}, ["#/title"]),
    "a uid that is none": ({"op": "create", "title": "x", "uid": MARK}, ["#/uid"]),
    "a new task with an id": ({"op": "create", "title": "x", "id": ID}, ["#/id"]),
    "a new task with a condition": (
        {"op": "create", "title": "x", "if_version": 1},
        ["#/if_version"],
    ),
    "an unknown member": ({"op": "create", "title": "x", MARK[:4]: 1}, ["#/mark"]),
    "a change of nothing that is named": ({"op": "update", "title": "x"}, ["#/id"]),
    "a change of null": ({"op": "update", "id": ID, "title": None}, ["#/title"]),
    "a change of something unknown": ({"op": "update", "id": ID, "colour": 1}, ["#/colour"]),
    "an id as text": ({"op": "complete", "id": "7"}, ["#/id"]),
    "an id that is true": ({"op": "complete", "id": True}, ["#/id"]),
    "half an id": ({"op": "delete", "id": 7.5}, ["#/id"]),
    "no id": ({"op": "delete", "id": None}, ["#/id"]),
    "a uid as a number": ({"op": "delete", "uid": 7}, ["#/uid"]),
    "no uid": ({"op": "delete", "uid": None}, ["#/uid"]),
    "both": ({"op": "delete", "id": ID, "uid": str(uuid.UUID(int=1))}, ["#/uid"]),
    "a version as text": ({"op": "delete", "id": ID, "if_version": "1"}, ["#/if_version"]),
    "no version": ({"op": "update", "id": ID, "if_version": None}, ["#/if_version"]),
    "version 0": ({"op": "complete", "id": ID, "if_version": 0}, ["#/if_version"]),
    "completed as text": ({"op": "complete", "id": ID, "completed": "yes"}, ["#/completed"]),
    "completed as null": ({"op": "complete", "id": ID, "completed": None}, ["#/completed"]),
    "a deletion with a title": ({"op": "delete", "id": ID, "title": "x"}, ["#/title"]),
    "a name that needs escapes": ({"op": "delete", "id": ID, "a/b~c": 1}, ["#/a~1b~0c"]),
}


@pytest.mark.parametrize(("operation", "at"), INVALID.values(), ids=INVALID)
def test_an_invalid_operation_is_a_422_among_the_others(
    alice: Person, operation: Any, at: list[str]
) -> None:
    before, invalid, after = results(
        alice, {"op": "create", "title": "Before"}, operation, {"op": "create", "title": "After"}
    )
    assert pointers(invalid) == at
    assert statuses([before, after]) == [201, 201]
    assert alice.lists() == [after["body"], before["body"]]


def test_an_unknown_member_is_told_those_of_the_route(alice: Person) -> None:
    task = alice.creates()
    routes = {
        "create": ("POST", "/api/tasks", {"title": "x"}),
        "update": ("PATCH", f"/api/tasks/{task['id']}", {}),
        "complete": ("PATCH", f"/api/tasks/{task['id']}/complete", {}),
    }
    for op, (method, path, body) in routes.items():
        route = problem(alice.http.request(method, path, json=body | {"colour": 1}), 422)
        name = {} if op == "create" else {"id": task["id"]}
        (result,) = results(alice, {"op": op, **name, **body, "colour": 1})
        assert result["body"] == route | {"request_id": result["body"]["request_id"]}


@pytest.mark.parametrize("number", [0, -1, MAX_ID, MAX_ID + 1, 2**63, 2**64, 10**400])
def test_an_id_that_nothing_has_is_missing(alice: Person, number: int) -> None:
    for op in ("update", "complete", "delete"):
        for more in ({}, {"if_version": 1}):
            (result,) = results(alice, {"op": op, "id": number, **more})
            assert (result["status"], kind(result)) == (404, "no-such-task")


def test_one_that_fails_stops_nothing_else(alice: Person) -> None:
    task = alice.creates(due_date="2026-12-01", due_time="09:30")
    found = results(
        alice,
        {"op": "complete", "id": MAX_ID},
        {"op": "create", "title": ""},
        {"op": "create", "title": "Buy bread"},
        {"op": "update", "id": task["id"], "title": "Lost", "if_version": 7},
        {"op": "update", "id": task["id"], "due_date": None},
        {"op": "update", "id": task["id"], "title": "Lost", "created_at": "2020-01-01T00:00:00Z"},
        {"op": "delete", "id": task["id"], "if_version": 7},
        {"op": "complete", "id": task["id"], "if_version": 7},
        {"op": "update", "id": task["id"], "title": "Kept", "if_version": 1},
    )
    assert statuses(found) == [404, 422, 201, 412, 422, 422, 412, 412, 200]
    assert pointers(found[4]) == ["#/due_time"]
    assert pointers(found[5]) == ["#/created_at"]
    assert [found[n]["body"]["current"] for n in (3, 6, 7)] == [task] * 3
    assert alice.lists() == [found[2]["body"], found[8]["body"]]


# unless it is atomic


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize(
    ("fails", "status"),
    [
        ({"op": "create", "title": ""}, 422),
        ({"op": "update", "id": MAX_ID, "title": "x"}, 404),
        ({"op": "delete", "id": "hers", "if_version": 7}, 412),
        ({"op": "create", "title": "x", "uid": "gone"}, 409),
    ],
)
def test_of_an_atomic_batch_nothing_is_done_when_one_fails(
    alice: Person, fails: dict[str, Any], status: int, at: int
) -> None:
    gone = uid()
    alice.http.delete(f"/api/tasks/{alice.creates(uid=gone)['id']}")
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    if fails.get("id") == "hers":
        fails = fails | {"id": task["id"]}
    if "uid" in fails:
        fails = fails | {"uid": gone}
    operations: list[Any] = [
        {"op": "create", "title": "Buy bread", "uid": uid()},
        {"op": "complete", "id": task["id"]},
        {"op": "update", "id": task["id"], "title": "Lost"},
    ]
    changes = alice.http.get("/api/tasks/changes").json()
    operations.insert(at, fails)
    found = results(alice, *operations, atomic=True)
    assert statuses(found) == [status if n == at else 424 for n in range(4)]
    assert {kind(one) for one in found if one["status"] == 424} == {"failed-dependency"}
    assert alice.lists() == [task]
    after = alice.http.get("/api/tasks/changes", params={"since": changes["next"]}).json()
    assert (after["changed"], after["deleted"]) == ([], [])


def test_an_atomic_batch_of_which_none_fails_is_done(alice: Person) -> None:
    task, new = alice.creates(), uid()
    found = results(
        alice,
        {"op": "create", "title": "Buy bread", "uid": new},
        {"op": "complete", "uid": new},
        {"op": "delete", "id": task["id"]},
        atomic=True,
    )
    assert statuses(found) == [201, 200, 204]
    assert alice.lists() == [found[1]["body"]]


def test_of_several_that_fail_the_first_says_why(alice: Person) -> None:
    found = results(
        alice,
        {"op": "create", "title": "x"},
        {"op": "complete", "id": MAX_ID},
        {"op": "create", "title": ""},
        atomic=True,
    )
    assert statuses(found) == [424, 404, 424]


# what is wrong with the batch itself

FINE: Final = {"op": "create", "title": "x"}
WRONG: Final[dict[str, tuple[Any, list[str]]]] = {
    "a list": ([FINE], ["#"]),
    "a number": (7, ["#"]),
    "nothing": ({}, ["#/operations"]),
    "no operations": ({"atomic": True}, ["#/operations"]),
    "operations that are null": ({"operations": None}, ["#/operations"]),
    "one operation": ({"operations": FINE}, ["#/operations"]),
    "more than a hundred": ({"operations": [FINE] * (MAX_BULK + 1)}, ["#/operations"]),
    "atomic as text": ({"operations": [FINE], "atomic": "true"}, ["#/atomic"]),
    "atomic as a number": ({"operations": [FINE], "atomic": 1}, ["#/atomic"]),
    "atomic as null": ({"operations": [FINE], "atomic": None}, ["#/atomic"]),
    "an unknown member": ({"operations": [FINE], "order": 1}, ["#/order"]),
}


@pytest.mark.parametrize(("body", "at"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_the_batch_is_said_of_it(
    alice: Person, body: Any, at: list[str]
) -> None:
    answer = alice.http.post(BATCH, json=body)
    errors = problem(answer, 422, "invalid-input")["errors"]
    assert [error["pointer"] for error in errors] == at
    assert alice.lists() == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 422),
        (b'{"operations": [{"op": "create", "title": "\\ud800"}]}', 400),
        (b'{"operations": [NaN]}', 400),
        (b'{"operations": [' + b"[" * 2_000 + b"]" * 2_000 + b"]}", 400),
        (b'{"operations": [' + b"{}," * 20_000 + b"{}]}", 422),
        (b'{"operations": [' + b"1," * 300_000 + b"1]}", 422),
        (b'{"operations": [' + b" " * MAX_BULK_BODY + b"]}", 413),
    ],
)
def test_what_is_no_batch_is_refused_before_it_is_looked_at(
    alice: Person, content: bytes, status: int
) -> None:
    answer = alice.http.post(BATCH, content=content, headers=JSON)
    problem(answer, status)


def test_a_batch_may_be_as_long_as_a_bulk(alice: Person) -> None:
    tasks = [{"op": "create", "title": "x", "description": "é" * 5_000} for _ in range(MAX_BULK)]
    assert statuses(results(alice, *tasks)) == [201] * MAX_BULK


def test_a_batch_is_no_task(alice: Person) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = alice.http.request(method, BATCH)
        assert problem(answer, 405)["detail"] == "This address takes POST."


# under one key


def test_a_batch_that_is_sent_again_is_done_once(alice: Person) -> None:
    task = alice.creates()
    operations = [
        {"op": "create", "title": "Buy bread"},
        {"op": "create", "title": ""},
        {"op": "complete", "id": MAX_ID},
        {"op": "delete", "id": task["id"]},
    ]
    first = sends(alice, operations, key="one")
    assert statuses(first.json()["results"]) == [201, 422, 404, 204]
    assert "Idempotency-Replayed" not in first.headers
    after = alice.lists()
    again = sends(alice, operations, key="one")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert alice.lists() == after
    sends(alice, operations)  # the control
    assert len(alice.lists()) == 2


OTHERS: Final[dict[str, Any]] = {
    "another title": [{"op": "create", "title": "y"}, {"op": "complete", "id": ID}],
    "another order": [{"op": "complete", "id": ID}, {"op": "create", "title": "x"}],
    "another op": [{"op": "create", "title": "x"}, {"op": "delete", "id": ID}],
    "another task": [{"op": "create", "title": "x"}, {"op": "complete", "id": ID + 1}],
    "by uid": [{"op": "create", "title": "x"}, {"op": "complete", "uid": str(uuid.UUID(int=7))}],
    "another condition": [
        {"op": "create", "title": "x"},
        {"op": "complete", "id": ID, "if_version": 1},
    ],
    "another state": [
        {"op": "create", "title": "x"},
        {"op": "complete", "id": ID, "completed": False},
    ],
    "one less": [{"op": "create", "title": "x"}],
    "an invalid one more": [{"op": "create", "title": "x"}, {"op": "complete", "id": ID}, {}],
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_key_is_not_for_another_batch(alice: Person, other: Any) -> None:
    operations = [{"op": "create", "title": "x"}, {"op": "complete", "id": ID}]
    assert sends(alice, operations, key="one").status_code == 200
    problem(sends(alice, other, key="one"), 422, "idempotency-key-reused")
    problem(sends(alice, operations, key="one", atomic=True), 422, "idempotency-key-reused")
    assert len(alice.lists()) == 1


def test_a_batch_is_what_it_says_however_it_is_written(alice: Person) -> None:
    one = [{"op": "create", "title": "x"}]
    other = [{"title": " x ", "completed": False, "tags": [], "op": "create"}]
    first = sends(alice, one, key="one")
    again = sends(alice, other, key="one", atomic=False)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content


def test_an_atomic_batch_that_failed_does_not_use_the_key_up(alice: Person) -> None:
    task = alice.creates()
    operations = [
        {"op": "create", "title": "Buy bread"},
        {"op": "complete", "id": task["id"], "if_version": 2},
    ]
    for _ in range(2):
        answer = sends(alice, operations, key="one", atomic=True)
        assert statuses(answer.json()["results"]) == [424, 412]
        assert "Idempotency-Replayed" not in answer.headers
    alice.http.patch(f"/api/tasks/{task['id']}", json={"title": "Buy oat milk"})
    answer = sends(alice, operations, key="one", atomic=True)
    assert statuses(answer.json()["results"]) == [201, 200]
    assert sends(alice, operations, key="one", atomic=True).content == answer.content
    assert len(alice.lists()) == 2
