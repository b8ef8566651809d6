"""Alice and Bob on every route: what is one's own, what is the other's, what is nobody's.

Every test runs twice: with both walls, and with the explicit filters alone.
"""

from typing import Any

import httpx2
import pytest

from tests.people import Person

NOBODYS = 2**53 - 1

# Each route that names a task, and how it answers its owner.
ROUTES: dict[str, tuple[str, str, dict[str, Any] | None, int]] = {
    "get": ("GET", "", None, 200),
    "put": ("PUT", "", {"title": "Taken", "completed": True}, 200),
    "patch": ("PATCH", "", {"description": "Taken"}, 200),
    "patch nothing": ("PATCH", "", {}, 200),
    "complete": ("PATCH", "/complete", {"completed": True}, 200),
    "toggle": ("PATCH", "/complete", None, 200),
    "delete": ("DELETE", "", None, 204),
}
route = pytest.mark.parametrize("name", ROUTES)


def calls(person: Person, name: str, task_id: int) -> httpx2.Response:
    method, suffix, body, _ = ROUTES[name]
    return person.http.request(method, f"/api/tasks/{task_id}{suffix}", json=body)


@route
def test_alice_reaches_her_own_task(alice: Person, name: str) -> None:
    task = alice.creates()
    assert calls(alice, name, task["id"]).status_code == ROUTES[name][3]


@route
def test_bob_cannot_reach_it_and_it_stays_as_it_was(alice: Person, bob: Person, name: str) -> None:
    task = alice.creates(description="2 litres")
    assert calls(bob, name, task["id"]).status_code == 404
    assert alice.sees(task["id"]) == task  # the control: it is really there, untouched


@route
def test_bob_cannot_tell_hers_from_nobodys(alice: Person, bob: Person, name: str) -> None:
    hers, missing = (calls(bob, name, n) for n in (alice.creates()["id"], NOBODYS))
    assert hers.status_code == missing.status_code == 404
    assert hers.content == missing.content
    assert {k: v for k, v in hers.headers.items() if k != "date"} == {
        k: v for k, v in missing.headers.items() if k != "date"
    }


@route
def test_a_stranger_gets_no_answer_about_it(alice: Person, stranger: Person, name: str) -> None:
    task = alice.creates()
    assert calls(stranger, name, task["id"]).status_code == 401
    assert alice.sees(task["id"]) == task


def test_each_lists_their_own_and_nothing_else(alice: Person, bob: Person) -> None:
    hers = [alice.creates(f"Alice's {n}", completed=n == 1)["id"] for n in range(3)]
    his = [bob.creates(f"Bob's {n}", completed=n == 1)["id"] for n in range(3)]
    for person, ids in ((alice, hers), (bob, his)):
        assert [task["id"] for task in person.lists()] == ids[::-1]
        assert [task["id"] for task in person.lists(completed="true")] == [ids[1]]
        assert [task["id"] for task in person.lists(limit=1, offset=1)] == [ids[1]]
        assert {task["user_id"] for task in person.lists()} == {person.id}


def test_a_newcomer_lists_nothing(alice: Person, bob: Person) -> None:
    alice.creates()
    assert bob.lists() == []
    assert bob.http.get("/api/tasks", params={"offset": 1}).json() == []


def test_a_stranger_lists_nothing_and_creates_nothing(stranger: Person) -> None:
    assert stranger.http.get("/api/tasks").status_code == 401
    assert stranger.http.post("/api/tasks", json={"title": "Mine?"}).status_code == 401


@pytest.mark.parametrize("member", ["user_id", "id", "created_at", "updated_at", "version"])
def test_bob_cannot_say_whose_a_task_is_or_when_it_began(
    alice: Person, bob: Person, member: str
) -> None:
    value: Any = alice.id if member == "user_id" else 1
    task = bob.creates()
    for answer in (
        bob.http.post("/api/tasks", json={"title": "For you", member: value}),
        bob.http.put(f"/api/tasks/{task['id']}", json={member: value}),
        bob.http.patch(f"/api/tasks/{task['id']}", json={member: value}),
    ):
        assert answer.status_code == 422
    assert bob.lists() == [task]
    assert alice.lists() == []


def test_a_page_follows_only_ones_own(alice: Person, bob: Person) -> None:
    for n in range(3):
        alice.creates(f"Alice's {n}")
        bob.creates(f"Bob's {n}")
    seen, path = [], "/api/tasks?limit=1"
    while path:
        answer = bob.http.get(path)
        seen += [task["user_id"] for task in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == [bob.id] * 3
