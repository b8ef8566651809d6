"""How much a task matters to alice: it sorts by rank, and she finds the ones that matter."""

from typing import Any, Final

import pytest

from tests.people import Person
from tests.problems import problem
from tests.walks import walk

PRIORITIES: Final = ["low", "medium", "high"]
changing = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def titles(tasks: list[dict[str, Any]]) -> list[str]:
    return [task["title"] for task in tasks]


@pytest.mark.parametrize("priority", [*PRIORITIES, None])
def test_a_task_has_the_priority_it_was_given(alice: Person, priority: str | None) -> None:
    task = alice.creates(priority=priority)
    assert task["priority"] == priority
    assert alice.sees(task["id"]) == task
    assert alice.lists() == [task]


def test_without_one_it_has_none(alice: Person) -> None:
    assert alice.creates()["priority"] is None


@changing
def test_it_is_changed_cleared_and_kept_when_it_is_left_out(alice: Person, method: str) -> None:
    path = f"/api/tasks/{alice.creates(priority='low')['id']}"
    for said, then in (
        ({"priority": "high"}, "high"),
        ({"title": "x"}, "high"),
        ({"priority": None}, None),
        ({"priority": "medium"}, "medium"),
    ):
        answer = alice.http.request(method, path, json=said)
        assert (answer.status_code, answer.json()["priority"]) == (200, then)


@pytest.mark.parametrize("wrong", ["High", "urgent", "", "none", 1, 3, True, [], ["high"], {}])
def test_what_is_no_priority_is_refused_by_name(alice: Person, wrong: object) -> None:
    task = alice.creates(priority="low")
    body = {"title": "x", "priority": wrong}
    for method, path, sent, pointer in (
        ("POST", "", body, "#/priority"),
        ("POST", "/bulk", [{"title": "y"}, body], "#/1/priority"),
        ("PUT", f"/{task['id']}", body, "#/priority"),
        ("PATCH", f"/{task['id']}", body, "#/priority"),
    ):
        answer = alice.http.request(method, f"/api/tasks{path}", json=sent)
        assert {error["pointer"] for error in problem(answer, 422)["errors"]} == {pointer}
    assert alice.lists() == [task]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("high", ["high"]),
        ("high,medium", ["high", "medium"]),
        ("medium,high", ["high", "medium"]),
        ("low,low", ["low"]),
        ("low,medium,high", ["high", "low", "medium"]),
    ],
)
def test_alice_finds_those_of_the_priorities_she_asks_for(
    alice: Person, bob: Person, asked: str, found: list[str]
) -> None:
    for person in (alice, bob):
        for priority in (*PRIORITIES, None):
            person.creates(f"{priority}", priority=priority)
    answer = alice.http.get(
        "/api/tasks", params={"priority": asked}, headers={"Prefer": "count=exact"}
    )
    assert sorted(titles(answer.json())) == found
    assert answer.headers["X-Total-Count"] == str(len(found))
    assert {task["user_id"] for task in answer.json()} == {alice.id}


@pytest.mark.parametrize(
    "asked", ["", "urgent", "High", "high,", ",high", "high,,low", "none", "3", "high medium"]
)
def test_a_filter_of_none_is_refused(alice: Person, asked: str) -> None:
    answer = alice.http.get(f"/api/tasks?priority={asked}")
    assert {error["parameter"] for error in problem(answer, 422)["errors"]} == {"priority"}


def test_a_filter_has_each_priority_once_however_often_it_is_given(alice: Person) -> None:
    task = alice.creates(priority="high")
    alice.creates()
    answer = alice.http.get(f"/api/tasks?priority={'low,' * 5_000}high,low")
    assert answer.json() == [task]
    assert answer.headers["Link"] == '</api/tasks?priority=low%2Chigh>; rel="first"'


@pytest.mark.parametrize("asked", ["," * 50_000, ",".join(map(str, range(10_000)))])
def test_of_many_that_are_none_few_are_looked_at(alice: Person, asked: str) -> None:
    answer = alice.http.get(f"/api/tasks?priority={asked}")
    assert len(problem(answer, 422)["errors"]) <= len(PRIORITIES) + 1


def test_a_filter_is_given_once(alice: Person) -> None:
    answer = alice.http.get("/api/tasks?priority=high&priority=low")
    assert [error["parameter"] for error in problem(answer, 422)["errors"]] == ["priority"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("priority", ["low", "medium", "high", "None"]),
        ("-priority", ["high", "medium", "low", "None"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9])
def test_they_are_sorted_by_rank_and_those_without_come_last(
    alice: Person, sort: str, order: list[str], limit: int
) -> None:
    for priority in (None, "low", "high", "medium", "high", None, "medium", "low"):
        alice.creates(f"{priority}", priority=priority)
    first = alice.http.get(f"/api/tasks?sort={sort}&limit={limit}")
    forwards = [page.json() for page in walk(alice, "next", first)]
    tasks = [task for page in forwards for task in page]
    assert titles(tasks) == [title for title in order for _ in range(2)]
    ids = [task["id"] for task in tasks]
    pairs = [ids[n : n + 2] for n in range(0, 8, 2)]
    assert pairs == [sorted(pair, reverse=sort[0] == "-") for pair in pairs], "ties go by id"
    *_, last = walk(alice, "next", first)
    backwards = [page.json() for page in walk(alice, "prev", last)]
    assert [task["id"] for page in backwards[::-1] for task in page] == ids
