"""The result of an operation in a batch is what its own route answers, whatever is sent."""

import uuid
from typing import Any, Final

import httpx2
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from api.tasks.members import RULES
from api.tasks.schemas import MAX_ID, TaskCreate, TaskUpdate
from tests.batches import sends
from tests.people import Person
from tests.problems import MARK

UIDS: Final = [str(uuid.UUID(int=n)) for n in range(1, 4)]
# Members that a body may have, with values that it takes and values that it does not.
MEMBERS: Final[dict[str, list[Any]]] = {
    "title": ["Buy milk", " x ", "", "\u200b", "x" * 201, "a\0", None, 7],
    "description": ["Two litres", "", None, "x" * 10_001, []],
    "completed": [True, False, None, "yes", 1],
    "priority": ["high", "low", None, "urgent", 1],
    "tags": [["home"], [], None, ["a", ""], ["a,b"], ["x"] * 21, "home", [7]],
    "due_date": ["2026-12-01", "2026-02-30", None, "tomorrow", 20261201],
    "due_time": ["09:30", "25:00", None],
    "time_zone": ["Europe/Berlin", "Nowhere/Never", None],
    "repeat": ["FREQ=DAILY", "FREQ=DAILY;UNTIL=20200101", "FREQ=HOURLY", None],
    "repeat_from": ["due", "completion", None, "never"],
    "uid": [*UIDS, None, MARK, 7],
    "version": [1, 2, 0, None, "1"],
    "user_id": ["bob", None],
    "created_at": ["2020-01-01T00:00:00Z", "yesterday"],
    "next_id": [None, 1],
    "colour": ["red"],
    "a/b": [1],
}
BODIES: Final = st.lists(st.sampled_from(sorted(MEMBERS)), unique=True, max_size=5).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(MEMBERS[name]) for name in names})
)
STARTS: Final = st.sampled_from(
    [
        {},
        {"completed": True},
        {"due_date": "2999-01-01", "due_time": "09:30", "repeat": "FREQ=WEEKLY"},
        {"due_date": "2999-01-01", "repeat": "FREQ=DAILY;COUNT=1"},
        {"uid": UIDS[0], "tags": ["home"]},
    ]
)
NUMBERS: Final = st.sampled_from(["theirs", MAX_ID, 0, -1, MAX_ID + 1, 2**70])
VERSIONS: Final = st.sampled_from([None, 1, 1, 2, MAX_ID])
OPS: Final = st.sampled_from(["create", "update", "update", "complete", "delete"])
STEP: Final = st.tuples(OPS, NUMBERS, VERSIONS, BODIES)


def by_route(person: Person, op: str, task_id: int, version: int | None, body: Any) -> Any:
    """The status and the body that the operation's own route answers."""
    path = "/api/tasks" if op == "create" else f"/api/tasks/{task_id}"
    method = {"create": "POST", "update": "PATCH", "complete": "PATCH", "delete": "DELETE"}[op]
    if op == "complete":
        path, body = f"{path}/complete", {"completed": True} | body
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    answer: httpx2.Response = person.http.request(
        method, path, json=None if op == "delete" else body, headers=headers
    )
    return {"status": answer.status_code} | ({"body": answer.json()} if answer.content else {})


def without_moments(result: Any, ids: dict[int, int], user_id: str) -> Any:
    """The result without what differs between two people who do the same."""

    def of_task(task: Any) -> Any:
        dates = {name: bool(task[name]) for name in ("created_at", "updated_at", "completed_at")}
        places = {name: ids.get(task[name], task[name] is not None) for name in ("id", "next_id")}
        assert task["user_id"] == user_id
        return task | dates | places | {"user_id": "whoever asks"}

    body = result.get("body")
    if body is None:
        return result
    if "request_id" not in body:
        return result | {"body": of_task(body)}
    current = {"current": of_task(body["current"])} if "current" in body else {}
    return result | {"body": body | {"request_id": ""} | current}


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(start=STARTS, steps=st.lists(STEP, min_size=1, max_size=8))
@example(start={}, steps=[("delete", "theirs", 2, {})])
@example(start={}, steps=[("delete", "theirs", None, {}), ("complete", "theirs", None, {})])
@example(
    start={"due_date": "2999-01-01"}, steps=[("update", "theirs", None, {"due_time": "25:00"})]
)
@example(start={"uid": UIDS[0]}, steps=[("create", 0, None, {"title": "x", "uid": UIDS[0]})])
def test_what_is_done_in_a_batch_is_what_its_route_does(
    people: Any, start: dict[str, Any], steps: list[tuple[str, Any, int | None, Any]]
) -> None:
    """Alice does it one by one, bob at once."""
    alice, bob = people.person("alice"), people.person("bob")
    hers, his = alice.creates(**start)["id"], bob.creates(**start)["id"]
    one_by_one, operations = [], []
    for op, number, version, members in steps:
        body = {
            "complete": {
                name: members[name] for name in ("completed", "colour") if name in members
            },
            "delete": {},
        }.get(op, members)
        operation: dict[str, Any] = {"op": op, **body}
        if op == "create":
            version = None
        else:
            operation["id"] = his if number == "theirs" else number
        if version is not None:
            operation["if_version"] = version
        operations.append(operation)
        one_by_one.append(
            by_route(alice, op, hers if number == "theirs" else number, version, body)
        )
    at_once = sends(bob, operations).json()["results"]
    ids = {hers: 0, his: 0}
    assert [without_moments(one, ids, bob.id) for one in at_once] == [
        without_moments(one, ids, alice.id) for one in one_by_one
    ]
    left = [
        [without_moments({"body": task}, ids, person.id) for task in person.lists()]
        for person in (alice, bob)
    ]
    assert left[0] == left[1]


def test_every_member_is_tried() -> None:
    """And so is a new one, and a new rule about two of them."""
    told = {"id", "completed_at", "updated_at"}  # what a task is told by, or as the others are
    assert {*TaskCreate.model_fields, *TaskUpdate.__annotations__} - told <= {*MEMBERS}
    assert {member for member, _ in RULES.values()} <= {*MEMBERS}
