"""Many at once: tasks made together, all of them or none, and those that are completed cleared."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import psycopg
import pytest
from pydantic_core import from_json

from api.http.body import Body
from api.http.problems import MAX_PROBLEM, InvalidInput
from api.tasks.schemas import BulkTaskCreate
from tests.cluster import TaskDatabase
from tests.people import Person
from tests.problems import MARK, problem
from tests.server import people_of

BULK: Final = "/api/tasks/bulk"
JSON: Final = {"Content-Type": "application/json"}
MEGABYTE: Final = 1024 * 1024


def pointers(answer: httpx2.Response) -> list[str]:
    return [error["pointer"] for error in problem(answer, 422, "invalid-input")["errors"]]


def tasks(number: int) -> list[dict[str, Any]]:
    return [{"title": f"Task {n}"} for n in range(number)]


# made together


@pytest.mark.parametrize("number", [1, 2, 99, 100])
def test_several_tasks_are_made_in_the_order_in_which_they_are_sent(
    alice: Person, number: int
) -> None:
    answer = alice.http.post(BULK, json=tasks(number))
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert not {"Location", "ETag", "Link"} & {name.title() for name in answer.headers}
    made = answer.json()
    assert [task["title"] for task in made] == [f"Task {n}" for n in range(number)]
    assert [task["id"] for task in made] == sorted({task["id"] for task in made})
    assert alice.lists(sort="created_at") == made
    for task in (made[0], made[-1]):
        assert alice.sees(task["id"]) == task


def test_each_of_them_is_what_was_said_of_it(alice: Person) -> None:
    sent: list[dict[str, Any]] = [
        {"title": "  Buy milk "},
        {"title": "Buy milk", "description": "Two litres", "completed": True},
        {"title": "Buy bread", "description": None, "completed": False},
        {"title": "日本 \U0001f95b 'quoted' \\", "description": ""},
    ]
    made = alice.http.post(BULK, json=sent).json()
    for task, said in zip(made, sent, strict=True):
        assert task["title"] == said["title"].strip()
        assert task["description"] == said.get("description")
        assert task["completed"] is said.get("completed", False)
        assert task["user_id"] == alice.id
    assert {task["created_at"] for task in made} == {task["updated_at"] for task in made}
    assert len({task["created_at"] for task in made}) == 1


def test_of_tasks_made_together_the_last_is_the_newest(alice: Person) -> None:
    made = alice.http.post(BULK, json=tasks(3)).json()
    assert alice.lists() == made[::-1]


# how many


def test_none_at_all_are_too_few(alice: Person) -> None:
    assert pointers(alice.http.post(BULK, json=[])) == ["#"]


@pytest.mark.parametrize("number", [101, 200, 20_000])
def test_more_than_a_hundred_are_too_many(alice: Person, number: int) -> None:
    assert pointers(alice.http.post(BULK, json=tasks(number))) == ["#"]
    assert alice.lists() == []


def test_too_many_are_not_looked_at_one_by_one(alice: Person) -> None:
    answer = alice.http.post(BULK, content=f"[{'1,' * 500_000}1]", headers=JSON)
    assert pointers(answer) == ["#"]
    assert len(answer.content) < 1_000


# all of them or none

FAULTS: Final[dict[str, tuple[object, str]]] = {
    "no title": ({}, "/title"),
    "a blank title": ({"title": "\u200b"}, "/title"),
    "an empty title": ({"title": " "}, "/title"),
    "a long title": ({"title": "x" * 201}, "/title"),
    "a title with NUL": ({"title": f"{MARK}\0"}, "/title"),
    "a title that is a number": ({"title": 7}, "/title"),
    "a title that is null": ({"title": None}, "/title"),
    "a title that is an object": ({"title": {MARK: {MARK: 1}}}, "/title"),
    "a long description": ({"title": "x", "description": "x" * 10_001}, "/description"),
    "a description with NUL": ({"title": "x", "description": "\0"}, "/description"),
    "a description that is a list": ({"title": "x", "description": [[1]]}, "/description"),
    "completed: yes": ({"title": "x", "completed": "yes"}, "/completed"),
    "completed: 1": ({"title": "x", "completed": 1}, "/completed"),
    "completed: null": ({"title": "x", "completed": None}, "/completed"),
    "an unknown member": ({"title": "x", "due": MARK}, "/due"),
    "somebody's id": ({"title": "x", "user_id": MARK}, "/user_id"),
    "an id": ({"title": "x", "id": 1}, "/id"),
    "a member with a slash": ({"title": "x", "due/title": MARK}, "/due~1title"),
    "a list": ([], ""),
    "a text": (MARK, ""),
    "a number": (1, ""),
    "null": (None, ""),
    "true": (True, ""),
}


@pytest.mark.parametrize("place", [0, 3, 4])
@pytest.mark.parametrize(("fault", "member"), FAULTS.values(), ids=FAULTS.keys())
def test_one_fault_among_five_leaves_none(
    alice: Person, place: int, fault: object, member: str
) -> None:
    sent: list[object] = [*tasks(5)]
    sent[place] = fault
    assert pointers(alice.http.post(BULK, json=sent)) == [f"#/{place}{member}"]
    assert alice.lists() == []


def test_the_last_of_a_hundred_can_spoil_it(alice: Person) -> None:
    assert pointers(alice.http.post(BULK, json=[*tasks(99), {"title": ""}])) == ["#/99/title"]
    assert alice.lists() == []


def test_every_fault_is_named_where_it_is(alice: Person) -> None:
    sent = [{"title": 7, "completed": 7}, {"title": "x"}, {"description": 7, "due": 7}, 7]
    assert pointers(alice.http.post(BULK, json=sent)) == [
        "#/0/title",
        "#/0/completed",
        "#/2/title",
        "#/2/description",
        "#/2/due",
        "#/3",
    ]
    assert alice.lists() == []


def test_not_more_than_a_hundred_faults_are_named(alice: Person) -> None:
    members = ",".join(f'"{n}":1' for n in range(50_000))
    answer = alice.http.post(BULK, content=f'[{{"title":"x",{members}}}]', headers=JSON)
    assert pointers(answer) == [f"#/0/{n}" for n in range(100)]
    assert "the first 100 are listed" in answer.json()["detail"]
    assert len(answer.content) < MAX_PROBLEM


@pytest.mark.parametrize("number", [99, 100, 101])
def test_what_is_cut_of_the_faults_is_told(alice: Person, number: int) -> None:
    members = {str(n): 1 for n in range(number)}
    answer = alice.http.post(BULK, json=[{"title": "x"} | members])
    assert pointers(answer) == [f"#/0/{n}" for n in range(min(number, 100))]
    assert ("the first 100 are listed" in answer.json()["detail"]) is (number > 100)


def test_faults_of_many_tasks_are_a_hundred_together(alice: Person) -> None:
    sent = [{"title": 7, "description": 7, "completed": 7, "due": 7}] * 100
    assert len(pointers(alice.http.post(BULK, json=sent))) == 100
    sent = [{str(n): 7 for n in range(500)}] * 100
    assert pointers(alice.http.post(BULK, json=sent)) == [f"#/0/{n}" for n in range(100)]
    sent = [dict.fromkeys(map(str, range(30)), 7)] * 4
    answer = alice.http.post(BULK, json=sent)
    assert pointers(answer) == [f"#/{n // 30}/{n % 30}" for n in range(100)]


@pytest.mark.evidence("many-faults")
def test_unknown_members_are_counted_before_anything_is_made_of_them() -> None:
    body = Body(BulkTaskCreate)
    members = ",".join(f'"{n:x}":0' for n in range(100_000))
    content = f'[{{"title":"x",{members}}}]'.encode()
    tracemalloc.start()
    try:
        value = from_json(content)
        _, parsed = tracemalloc.get_traced_memory()
        del value
        tracemalloc.reset_peak()
        with pytest.raises(InvalidInput):
            body.parsed(content)
        _, refused = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused < 1.5 * parsed  # three times as much, when each is an error


@pytest.mark.evidence("many-faults")
@pytest.mark.parametrize("content", ["[],", "[" * 100 + "]" * 100 + ","], ids=["flat", "deep"])
def test_lists_upon_lists_are_refused_unread(alice: Person, content: str) -> None:
    body = f"[{content * (1_000_000 // len(content))}1]"
    answer = alice.http.post(BULK, content=body, headers=JSON)
    problem(answer, 400, "malformed-request")
    assert alice.lists() == []


@pytest.mark.parametrize(
    "content", ["{},", '{"title":"x"},', '{"title":{"title":{}}},'], ids=["empty", "good", "deep"]
)
def test_objects_upon_objects_are_too_many(alice: Person, content: str) -> None:
    body = f"[{content * (1_000_000 // len(content))}1]"
    answer = alice.http.post(BULK, content=body, headers=JSON)
    assert pointers(answer) == ["#"]
    assert "100 objects" in answer.text
    assert alice.lists() == []


def test_brackets_in_texts_are_text(alice: Person) -> None:
    text = '[[{"\\' * 2_000
    answer = alice.http.post(BULK, json=[{"title": "[ ]", "description": text}] * 50)
    assert answer.status_code == 201, answer.text
    assert [task["description"] for task in answer.json()] == [text] * 50


@pytest.mark.parametrize(
    "content",
    ["{}", '{"title": "Buy milk"}', '{"0": {"title": "x"}}', '"x"', "1", "true", "null"],
)
def test_what_is_no_array_is_refused(alice: Person, content: str) -> None:
    assert pointers(alice.http.post(BULK, content=content, headers=JSON)) == ["#"]
    assert alice.lists() == []


@pytest.mark.parametrize(
    "content", ["", " ", "[", '[{"title": "x"}', '[{"title": "x"},]', '{"title": "x"}{}', "[NaN]"]
)
def test_what_is_no_json_is_malformed(alice: Person, content: str) -> None:
    answer = alice.http.post(BULK, content=content, headers=JSON)
    problem(answer, 400, "malformed-request")
    assert alice.lists() == []


@pytest.fixture
def nearly_full(own_database: TaskDatabase) -> Iterator[Person]:
    """Somebody in a database that has one id left."""
    with psycopg.connect(own_database.owner, autocommit=True) as owner:
        owner.execute("alter table task alter column id restart with 9007199254740991")
    with people_of(own_database) as people:
        yield people.person("alice")


def test_a_fault_that_only_the_database_finds_leaves_none(nearly_full: Person) -> None:
    problem(nearly_full.http.post(BULK, json=tasks(2)), 500, "internal-error")
    assert nearly_full.lists() == []
    # one would have been made, had it been alone: the last id is used up now
    problem(nearly_full.http.post(BULK, json=tasks(1)), 500, "internal-error")


# how large


def sized(number: int, size: int) -> bytes:
    """That many tasks with descriptions, in a body of that size."""
    content = json.dumps([{"title": "x", "description": "\u00e9" * 1_000} for _ in range(number)])
    assert len(content) <= size
    return content.encode().ljust(size)


@pytest.mark.parametrize("size", [64 * 1024 + 1, 500_000, MEGABYTE])
def test_a_body_may_have_a_megabyte(alice: Person, size: int) -> None:
    assert alice.http.post(BULK, content=sized(10, size), headers=JSON).status_code == 201
    assert len(alice.lists()) == 10


def test_a_hundred_tasks_with_long_descriptions_fit(alice: Person) -> None:
    sent = [{"title": "\U0001f95b" * 200, "description": "x" * 9_000} for _ in range(100)]
    content = json.dumps(sent, ensure_ascii=False).encode()
    assert 900_000 < len(content) <= MEGABYTE
    assert alice.http.post(BULK, content=content, headers=JSON).status_code == 201
    assert [task["description"] for task in alice.lists()] == ["x" * 9_000] * 100


@pytest.mark.evidence("hostile-body")
def test_a_body_of_more_than_a_megabyte_is_refused(alice: Person) -> None:
    answer = alice.http.post(BULK, content=sized(10, MEGABYTE + 1), headers=JSON)
    problem(answer, 413, "content-too-large")
    assert alice.lists() == []


def test_a_body_of_unknown_length_has_the_same_bound(alice: Person) -> None:
    def stream(size: int) -> Iterator[bytes]:
        content = sized(10, size)
        for start in range(0, size, 64 * 1024):
            yield content[start : start + 64 * 1024]

    assert alice.http.post(BULK, content=stream(MEGABYTE), headers=JSON).status_code == 201
    problem(alice.http.post(BULK, content=stream(MEGABYTE + 1), headers=JSON), 413)
    assert len(alice.lists()) == 10


def test_only_several_tasks_may_take_that_much(alice: Person) -> None:
    content = json.dumps({"title": "Buy milk"}).encode().ljust(64 * 1024 + 1)
    answer = alice.http.post("/api/tasks", content=content, headers=JSON)
    problem(answer, 413, "content-too-large")
    assert alice.lists() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_bulk_is_no_task(alice: Person, method: str) -> None:
    task = alice.creates()
    answer = alice.http.request(method, BULK, json={"title": "x"} if method[0] == "P" else None)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "POST"
    assert alice.lists() == [task]


def test_a_stranger_makes_and_clears_nothing(stranger: Person) -> None:
    problem(stranger.http.post(BULK, json=tasks(1)), 401, "unauthorized")
    problem(stranger.http.delete("/api/tasks?completed=true"), 401, "unauthorized")


# cleared


def test_what_is_completed_is_cleared_and_nothing_else(alice: Person) -> None:
    done = [alice.creates(f"Done {n}", completed=True) for n in range(3)]
    open_ = [alice.creates(f"Open {n}") for n in range(2)]
    toggled = alice.creates("Toggled")
    alice.http.patch(f"/api/tasks/{toggled['id']}/complete")

    answer = alice.http.delete("/api/tasks", params={"completed": "true"})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 4})
    assert answer.headers["Content-Type"] == "application/json"
    assert alice.lists() == open_[::-1]
    for task in (*done, toggled):
        assert alice.sees(task["id"]) is None

    again = alice.http.delete("/api/tasks", params={"completed": "true"})
    assert (again.status_code, again.json()) == (200, {"deleted": 0})
    assert alice.lists() == open_[::-1]


def test_more_than_a_page_is_cleared(alice: Person) -> None:
    for _ in range(11):
        sent = [{"title": "x", "completed": True}] * 100
        assert alice.http.post(BULK, json=sent).status_code == 201
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": 1100}
    assert alice.lists() == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?completed=false",
        "?completed=",
        "?completed=1",
        "?completed=TRUE",
        "?completed=yes",
        "?completed=null",
        "?completed",
        "?complete=true",
        "?Completed=true",
        "?completed=true&completed=true",
        "?completed=true&completed=false",
        "?completed=true&limit=1",
        "?completed=true&q=milk",
        "?completed=true&created_before=2026-01-01T00:00:00Z",
        "?completed=true&sort=title",
        "?completed=true&x=",
        "?q=milk",
    ],
)
def test_nothing_is_cleared_by_accident(alice: Person, query: str) -> None:
    done, open_ = alice.creates("Buy milk", completed=True), alice.creates("Buy milk")
    problem(alice.http.delete(f"/api/tasks{query}"), 422, "invalid-input")
    assert alice.lists() == [open_, done]


def test_what_must_be_said_is_named(alice: Person) -> None:
    for query in ("", "?completed=false"):
        answer = alice.http.delete(f"/api/tasks{query}")
        (error,) = problem(answer, 422, "invalid-input")["errors"]
        assert error["parameter"] == "completed"
