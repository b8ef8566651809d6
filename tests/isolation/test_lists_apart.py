"""Alice's and Bob's lists, searches, cursors and whole batches, each without a trace of the other.

Every test runs twice: with both walls, and with the explicit filters alone.
"""

from itertools import permutations, product
from typing import Any

import httpx2
import pytest

from tests.people import Person
from tests.problems import problem
from tests.walks import walk

SORTS = ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"]
ASKED: list[dict[str, str]] = [
    {},
    {"completed": "true"},
    {"q": "milk"},
    {"created_after": "2020-01-01T00:00:00Z", "updated_before": "2999-01-01T00:00:00Z"},
    {"created_before": "2999-01-01T00:00:00Z", "updated_after": "2020-01-01T00:00:00Z", "q": "b"},
]


@pytest.fixture
def both(alice: Person, bob: Person) -> list[Person]:
    """Each has six tasks, made in turn, two in the same moment, with the same titles."""
    for n in range(3):
        for person in (alice, bob):
            tasks = [
                {"title": f"Buy milk {k}", "description": person.id, "completed": n > 0}
                for k in range(2)
            ]
            assert person.http.post("/api/tasks/bulk", json=tasks).status_code == 201
    return [alice, bob]


def cursor(person: Person, relation: str = "next", **asked: Any) -> str:
    answer = person.http.get("/api/tasks", params={"limit": 2, **asked})
    if relation == "prev":
        answer = person.http.get(answer.links["next"]["url"])
    return httpx2.URL(answer.links[relation]["url"]).params["cursor"]


@pytest.mark.evidence("cursors")
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_every_page_of_every_list_is_ones_own(both: list[Person], asked: dict[str, str]) -> None:
    for person, sort in product(both, SORTS):
        start = person.http.get("/api/tasks", params={"sort": sort, "limit": 2, **asked})
        forwards = list(walk(person, "next", start))
        backwards = list(walk(person, "prev", forwards[-1]))
        assert [page.json() for page in backwards] == [page.json() for page in forwards[::-1]]
        tasks = [task for page in forwards for task in page.json()]
        assert {task["user_id"] for task in tasks} == {person.id}
        assert len({task["id"] for task in tasks}) == (4 if "completed" in asked else 6)


@pytest.mark.evidence("lists")
def test_what_is_counted_is_ones_own(both: list[Person]) -> None:
    alice, bob = both
    counted = [4 if "completed" in asked else 6 for asked in ASKED]
    assert [total(alice, asked) for asked in ASKED] == counted
    for task in alice.lists():
        assert alice.http.delete(f"/api/tasks/{task['id']}").status_code == 204
    assert [total(alice, asked) for asked in ASKED] == [0] * len(ASKED)
    assert [total(bob, asked) for asked in ASKED] == counted


def total(person: Person, asked: dict[str, str]) -> int:
    answer = person.http.get(
        "/api/tasks", params=asked | {"limit": "1"}, headers={"Prefer": "count=exact"}
    )
    return int(answer.headers["X-Total-Count"])


@pytest.mark.evidence("lists")
def test_nobody_finds_what_the_other_wrote(both: list[Person]) -> None:
    alice, bob = both
    assert alice.lists(q=bob.id) == bob.lists(q=alice.id) == []
    assert len(alice.lists(q=alice.id)) == len(bob.lists(q=bob.id)) == 6


@pytest.mark.evidence("cursors")
def test_the_other_one_s_cursor_leads_nowhere(both: list[Person]) -> None:
    for (person, other), sort, relation in product(permutations(both), SORTS, ("next", "prev")):
        foreign = cursor(other, relation, sort=sort)
        answer = person.http.get("/api/tasks", params={"sort": sort, "cursor": foreign})
        problem(answer, 400, "malformed-request")
        assert len(other.lists(sort=sort, cursor=foreign)) > 0  # the control


def test_a_page_beside_the_other_one_s_tasks_says_nothing_of_them(
    alice: Person, bob: Person
) -> None:
    bob.creates("before")
    mine = alice.creates("mine")
    bob.creates("after")
    for sort in SORTS:
        for asked in ({}, {"limit": 1}, {"limit": 1, "offset": 0}):
            answer = alice.http.get("/api/tasks", params={"sort": sort, **asked})
            assert answer.json() == [mine]
            assert set(answer.links) == {"first"}
    assert len(bob.lists()) == 2


def test_what_is_made_together_is_of_who_sent_it(alice: Person, bob: Person) -> None:
    his = bob.creates("Buy milk")
    made = alice.http.post("/api/tasks/bulk", json=[{"title": "Buy milk"}] * 3).json()
    assert {task["user_id"] for task in made} == {alice.id}
    assert alice.lists() == made[::-1]
    assert bob.lists() == [his]
    for task in made:
        assert bob.sees(task["id"]) is None


@pytest.mark.evidence("another-name")
@pytest.mark.parametrize("member", ["user_id", "id", "created_at", "updated_at", "version"])
def test_nobody_makes_tasks_for_another_among_their_own(
    alice: Person, bob: Person, member: str
) -> None:
    value: Any = bob.id if member == "user_id" else 1
    sent = [{"title": "Mine"}, {"title": "For you", member: value}]
    problem(alice.http.post("/api/tasks/bulk", json=sent), 422, "invalid-input")
    assert alice.lists() == bob.lists() == []


@pytest.mark.evidence("lists")
def test_who_clears_clears_their_own(both: list[Person]) -> None:
    alice, bob = both
    his = bob.lists()
    open_ = alice.lists(completed="false")
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": 4}
    assert alice.lists() == open_
    assert bob.lists() == his
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": 0}
    assert bob.http.delete("/api/tasks?completed=true").json() == {"deleted": 4}
    assert alice.lists() == open_


@pytest.mark.evidence("no-token")
def test_a_stranger_does_none_of_it(alice: Person, stranger: Person) -> None:
    done = alice.creates(completed=True)
    for answer in (
        stranger.http.get("/api/tasks?q=milk"),
        stranger.http.get(f"/api/tasks?cursor={'A' * 40}"),
        stranger.http.post("/api/tasks/bulk", json=[{"title": "Mine?"}]),
        stranger.http.delete("/api/tasks?completed=true"),
    ):
        problem(answer, 401, "unauthorized")
        assert not {"link", "x-total-count", "etag"} & {*answer.headers}
    assert alice.lists() == [done]


def test_what_is_behind_a_page_is_ones_own(alice: Person, bob: Person) -> None:
    alice.creates("Older than all of his")
    first = bob.creates()
    bob.creates()
    page = bob.http.get("/api/tasks", params={"sort": "created_at", "limit": 1})
    following = page.links["next"]["url"]
    assert "prev" in bob.http.get(following).links
    assert bob.http.delete(f"/api/tasks/{first['id']}").status_code == 204
    assert "prev" not in bob.http.get(following).links
