"""Two devices change one task without knowing of each other: the rules of who wins."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any, Final

import httpx2
import pytest

from tests.batches import results, sends, statuses
from tests.people import Person

# How a device changes, completes or deletes a task: by the route, or in a batch.
WAYS: Final = ["route", "batch"]
ways = pytest.mark.parametrize("way", WAYS)


def does(
    person: Person, way: str, op: str, task_id: int, version: int | None = None, **members: Any
) -> tuple[int, Any]:
    """The status and the body of what one device sends."""
    if way == "batch":
        condition = {} if version is None else {"if_version": version}
        (result,) = results(person, {"op": op, "id": task_id, **condition, **members})
        return result["status"], result.get("body")
    path = f"/api/tasks/{task_id}{'/complete' if op == 'complete' else ''}"
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    method, body = ("DELETE", None) if op == "delete" else ("PATCH", members)
    answer = person.http.request(method, path, json=body, headers=headers)
    return answer.status_code, answer.json() if answer.content else None


# a change is of members, and the last one wins


CHANGES: Final[list[dict[str, Any]]] = [
    {"title": "Buy oat milk"},
    {"due_date": "2026-12-01", "due_time": "09:30"},
    {"tags": ["home"], "priority": "high"},
    {"completed": True},
]


@ways
@pytest.mark.parametrize("order", [*permutations(range(4))], ids=str)
def test_changes_of_different_members_all_stay_in_whatever_order(
    alice: Person, way: str, order: tuple[int, ...]
) -> None:
    task = alice.creates(description="Two litres")
    for number in order:
        assert does(alice, way, "update", task["id"], **CHANGES[number])[0] == 200
    after = alice.sees(task["id"])
    assert after
    changed = {name: value for change in CHANGES for name, value in change.items()}
    assert {name: after[name] for name in changed} == changed
    assert after["description"] == "Two litres"


@ways
@pytest.mark.parametrize(
    ("member", "one", "other"),
    [
        ("title", "Buy bread", "Buy jam"),
        ("description", "One", None),
        ("priority", None, "low"),
        ("tags", ["a"], []),
        ("completed", True, False),
        ("due_date", "2026-12-01", "2026-12-02"),
    ],
)
def test_of_one_member_the_last_one_stays(
    alice: Person, way: str, member: str, one: Any, other: Any
) -> None:
    task = alice.creates()
    for last, values in ((other, (one, other)), (one, (other, one))):
        for value in values:
            assert does(alice, way, "update", task["id"], **{member: value})[0] == 200
        after = alice.sees(task["id"])
        assert after
        assert after[member] == last


def test_changes_at_the_same_moment_all_stay(alice: Person) -> None:
    for _ in range(5):
        task = alice.creates()
        with ThreadPoolExecutor(8) as pool:
            done = [
                pool.submit(does, alice, way, "update", task["id"], **change)
                for way in WAYS
                for change in CHANGES
            ]
        assert [one.result()[0] for one in done] == [200] * 8
        after = alice.sees(task["id"])
        assert after
        assert all(after[name] == value for one in CHANGES for name, value in one.items())


@ways
def test_a_change_that_its_task_cannot_have_any_more_is_refused(alice: Person, way: str) -> None:
    task = alice.creates(due_date="2026-12-01")
    assert does(alice, way, "update", task["id"], due_date=None)[0] == 200
    status, refused = does(alice, way, "update", task["id"], due_time="09:30")
    assert (status, [error["pointer"] for error in refused["errors"]]) == (422, ["#/due_time"])


# if_version is strict


@ways
@pytest.mark.parametrize("op", ["update", "complete", "delete"])
def test_a_condition_fails_even_if_other_members_have_changed(
    alice: Person, way: str, op: str
) -> None:
    task = alice.creates()
    _, changed = does(alice, way, "update", task["id"], description="Two litres")
    members: dict[str, Any] = {"update": {"title": "Lost"}, "complete": {"completed": True}}
    members = members.get(op, {})
    status, refused = does(alice, way, op, task["id"], task["version"], **members)
    assert (status, refused["current"]) == (412, changed)
    assert alice.sees(task["id"]) == changed
    assert does(alice, way, op, task["id"], changed["version"], **members)[0] in (200, 204)


@ways
def test_of_two_that_have_read_the_same_version_one_is_told(alice: Person, way: str) -> None:
    for _ in range(5):
        task = alice.creates()
        with ThreadPoolExecutor(4) as pool:
            work = [
                pool.submit(does, alice, way, "update", task["id"], 1, title=title)
                for title in ("One", "Two", "Three", "Four")
            ]
        done = [one.result() for one in work]
        assert sorted(status for status, _ in done) == [200, 412, 412, 412]
        (kept,) = [body for status, body in done if status == 200]
        assert alice.sees(task["id"]) == kept
        assert all(body["current"] == kept for status, body in done if status == 412)


# a deletion wins


@ways
def test_a_change_of_what_was_deleted_brings_nothing_back(alice: Person, way: str) -> None:
    uid = str(uuid.uuid4())
    task = alice.creates(uid=uid)
    assert does(alice, way, "delete", task["id"])[0] == 204
    for op, members in (("update", {"title": "Back"}), ("complete", {"completed": False})):
        assert does(alice, way, op, task["id"], **members)[0] == 404
        assert does(alice, way, op, task["id"], 1, **members)[0] == 404
    found = results(
        alice,
        {"op": "update", "uid": uid, "title": "Back"},
        {"op": "create", "uid": uid, "title": "Back"},
    )
    assert statuses(found) == [404, 409]
    assert alice.lists() == []


@ways
def test_what_others_changed_meanwhile_is_deleted_too(alice: Person, way: str) -> None:
    task = alice.creates()
    does(alice, way, "update", task["id"], title="Changed meanwhile")
    assert does(alice, way, "delete", task["id"])[0] == 204
    assert alice.lists() == []


@ways
def test_of_a_change_and_a_deletion_at_once_the_deletion_stays(alice: Person, way: str) -> None:
    for n in range(10):
        task = alice.creates()
        ops: list[tuple[str, dict[str, Any]]] = [("update", {"title": "Changed"}), ("delete", {})]
        with ThreadPoolExecutor(2) as pool:
            done = [
                pool.submit(does, alice, way, op, task["id"], **members)
                for op, members in ops[:: 1 if n % 2 else -1]
            ]
        found = {one.result()[0] for one in done}
        assert found in ({200, 204}, {404, 204})
        assert alice.sees(task["id"]) is None


# {"completed": true} never toggles


@ways
def test_two_devices_that_complete_a_task_have_completed_it(alice: Person, way: str) -> None:
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    with ThreadPoolExecutor(4) as pool:
        done = [
            *pool.map(lambda _: does(alice, way, "complete", task["id"], completed=True), range(4))
        ]
    assert {status for status, _ in done} == {200}
    assert all(body["completed"] for _, body in done)
    open_ = [one for one in alice.lists() if not one["completed"]]
    assert [one["due_date"] for one in open_] == ["2999-01-02"]  # what it repeats, once


@pytest.mark.parametrize("body", [{}, {"completed": True}])
def test_a_batch_that_comes_twice_completes_once(alice: Person, body: dict[str, Any]) -> None:
    task = alice.creates()
    for _ in range(3):
        (result,) = results(alice, {"op": "complete", "id": task["id"], **body})
        assert (result["status"], result["body"]["completed"]) == (200, True)


def test_the_route_without_a_body_still_toggles(alice: Person) -> None:
    task = alice.creates()
    toggle = [alice.http.patch(f"/api/tasks/{task['id']}/complete").json() for _ in range(2)]
    assert [one["completed"] for one in toggle] == [True, False]  # the control


# at the same time


def test_two_batches_in_opposite_order_wait_for_each_other_and_are_both_done(
    alice: Person,
) -> None:
    """Nobody is told of a deadlock: the person's changes are one after another."""
    ids = [alice.creates(f"Task {n}")["id"] for n in range(20)]

    def changes(order: list[int]) -> httpx2.Response:
        return sends(
            alice, [{"op": "update", "id": n, "description": str(order[0])} for n in order]
        )

    def mixes(order: list[int]) -> httpx2.Response:
        ops = [
            {"op": "create", "title": "New"},
            *({"op": "complete", "id": n, "completed": n % 2 == 0} for n in order),
        ]
        return sends(alice, ops)

    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            work = [
                pool.submit(run, order)
                for run in (changes, mixes)
                for order in (ids, ids[::-1], ids[10:] + ids[:10])
            ]
            for one in work:
                assert one.result().status_code == 200
                assert {each["status"] for each in one.result().json()["results"]} <= {200, 201}


def test_batches_and_clear_completed_wait_for_each_other_too(alice: Person) -> None:
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            ids = [alice.creates(f"Task {n}")["id"] for n in range(10)]
            complete = [{"op": "complete", "id": n} for n in ids]
            batches = [
                pool.submit(sends, alice, order, key=key)
                for key, order in ((f"batch-of-{ids[0]}", complete), (None, complete[::-1]))
                for _ in range(2)
            ]
            clear = [
                pool.submit(alice.http.delete, "/api/tasks?completed=true", headers=headers)
                for headers in ({}, {"Idempotency-Key": f"{ids[0]}"})
            ]
            assert {one.result().status_code for one in clear + batches} == {200}
            for one in batches:
                assert {each["status"] for each in one.result().json()["results"]} <= {200, 404}
