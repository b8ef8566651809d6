"""Alice tags her tasks, finds them by tag in whatever case, and sees which tags she has."""

from typing import Any, Final

import pytest

from tests.people import Person
from tests.problems import problem

changing = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def tags(person: Person) -> list[dict[str, Any]]:
    answer = person.http.get("/api/tags")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_tags_are_kept_in_order_trimmed_and_once_each_whatever_their_case(alice: Person) -> None:
    given = ["  home ", "Straße", "a b", "HOME", "STRASSE", "Home", "ﬁ", "fi", "日本", '"\\{}']
    task = alice.creates(tags=given)
    assert task["tags"] == ["home", "Straße", "a b", "ﬁ", "日本", '"\\{}']
    assert alice.sees(task["id"]) == task
    assert alice.lists() == [task]


def test_a_task_without_tags_has_an_empty_list(alice: Person) -> None:
    given: list[dict[str, Any]] = [{}, {"tags": []}, {"tags": None}]
    for members in given:
        assert alice.creates(**members)["tags"] == []


@changing
def test_they_are_changed_as_a_whole_cleared_and_kept_when_left_out(
    alice: Person, method: str
) -> None:
    path = f"/api/tasks/{alice.creates(tags=['home'])['id']}"
    for said, then in (
        ({"tags": ["Work", "work", "x"]}, ["Work", "x"]),
        ({"title": "x"}, ["Work", "x"]),
        ({"tags": None}, []),
        ({"tags": ["again"]}, ["again"]),
        ({"tags": []}, []),
    ):
        answer = alice.http.request(method, path, json=said)
        assert (answer.status_code, answer.json()["tags"]) == (200, then)
        found = [alice.lists(tags=tag) for tag in ("home", "WORK", "again")]
        assert [len(tasks) for tasks in found] == [0, int("Work" in then), int("again" in then)]


NO_TAG: Final[list[object]] = [
    *(7, None, ["home"], {"0": "home"}, True, "", "  ", "\u200b"),
    *("a,b", "a\nb", "a\u0000b", "a\u0085b", "x" * 51),
]
WRONG: Final[list[tuple[object, list[str]]]] = [
    *((value, [""]) for value in ("home", 7, True, {}, {"0": "home"})),
    ([f"{n}" for n in range(21)], [""]),
    *(([value], ["/0"]) for value in NO_TAG),
    (["home", "a,b", "HOME", 7, "urgent", ""], ["/1", "/3", "/5"]),
]


@pytest.mark.parametrize(("wrong", "places"), WRONG, ids=repr)
def test_what_is_no_tag_is_refused_by_its_place(
    alice: Person, wrong: object, places: list[str]
) -> None:
    task = alice.creates(tags=["home"])
    body = {"title": "x", "tags": wrong}
    for method, path, sent, pointer in (
        ("POST", "", body, "#/tags"),
        ("POST", "/bulk", [{"title": "y"}, body], "#/1/tags"),
        ("PUT", f"/{task['id']}", body, "#/tags"),
        ("PATCH", f"/{task['id']}", body, "#/tags"),
    ):
        answer = alice.http.request(method, f"/api/tasks{path}", json=sent)
        found = [error["pointer"] for error in problem(answer, 422)["errors"]]
        assert found == [pointer + place for place in places]
    assert alice.lists() == [task]


def test_twenty_tags_of_fifty_characters_are_taken(alice: Person) -> None:
    given = [f"{n:02}" + "\U0001f331" * 48 for n in range(20)]
    assert alice.creates(tags=given)["tags"] == given


# filters


@pytest.fixture
def tagged(alice: Person, bob: Person) -> Person:
    for person in (bob, alice):
        person.creates("both", tags=["Home", "urgent"])
        person.creates("home", tags=["home", "Straße"])
        person.creates("urgent", tags=["URGENT"])
        person.creates("neither", tags=["homework"])
        person.creates("none")
    return alice


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"tags": "home"}, ["both", "home"]),
        ({"tags": "HOME"}, ["both", "home"]),
        ({"tags": " home "}, ["both", "home"]),
        ({"tags": "home,urgent"}, ["both"]),
        ({"tags": "urgent,home,HOME"}, ["both"]),
        ({"tags": "STRASSE"}, ["home"]),
        ({"tags": "hom"}, []),
        ({"any_tag": "home"}, ["both", "home"]),
        ({"any_tag": "home,Urgent"}, ["both", "home", "urgent"]),
        ({"any_tag": "homework,nothing"}, ["neither"]),
        ({"any_tag": "nothing"}, []),
        ({"tags": "home", "any_tag": "urgent,straße"}, ["both", "home"]),
        ({"tags": "home", "any_tag": "urgent"}, ["both"]),
        ({"tags": "home", "q": "bo"}, ["both"]),
    ],
    ids=str,
)
def test_tasks_are_found_by_their_tags_whatever_the_case(
    tagged: Person, parameters: dict[str, str], found: list[str]
) -> None:
    answer = tagged.http.get("/api/tasks", params=parameters, headers={"Prefer": "count=exact"})
    assert sorted(task["title"] for task in answer.json()) == found
    assert {task["user_id"] for task in answer.json()} <= {tagged.id}
    assert answer.headers["X-Total-Count"] == str(len(found))


@pytest.mark.parametrize("name", ["tags", "any_tag"])
@pytest.mark.parametrize(
    "asked", ["", ",", "home,", ",home", "a,,b", "%20", "x" * 51, "a%00b", "a%0Ab"]
)
def test_a_filter_of_no_tag_is_refused(alice: Person, name: str, asked: str) -> None:
    answer = alice.http.get(f"/api/tasks?{name}={asked}")
    assert {error["parameter"] for error in problem(answer, 422)["errors"]} == {name}


@pytest.mark.parametrize("name", ["tags", "any_tag"])
def test_a_filter_has_twenty_tags_at_most_and_is_given_once(alice: Person, name: str) -> None:
    many = ",".join(f"t{n}" for n in range(21))
    for query in (f"{name}={many}", f"{name}=a&{name}=b"):
        answer = alice.http.get(f"/api/tasks?{query}")
        assert [error["parameter"] for error in problem(answer, 422)["errors"]] == [name]
    assert alice.http.get(f"/api/tasks?{name}={many.rpartition(',')[0]}").json() == []


def test_a_walk_keeps_its_filters(tagged: Person) -> None:
    seen, path = [], "/api/tasks?tags=home&any_tag=urgent,stra%C3%9Fe&limit=1&sort=title"
    while path:
        answer = tagged.http.get(path)
        seen += [task["title"] for task in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == ["both", "home"]


# which there are


def test_the_tags_are_those_of_ones_own_tasks_with_how_many_are_open(tagged: Person) -> None:
    assert tags(tagged) == [
        {"tag": "Home", "open": 2},
        {"tag": "homework", "open": 1},
        {"tag": "Straße", "open": 1},
        {"tag": "urgent", "open": 2},
    ]


def test_who_has_none_has_no_tags(alice: Person, bob: Person) -> None:
    bob.creates(tags=["his"])
    alice.creates()
    answer = alice.http.get("/api/tags")
    assert (answer.status_code, answer.text) == (200, "[]")
    assert answer.headers["Content-Type"] == "application/json"


def test_what_is_completed_is_not_open_and_what_is_deleted_is_gone(alice: Person) -> None:
    task, other = alice.creates(tags=["Work"]), alice.creates(tags=["work", "x"])
    alice.http.patch(f"/api/tasks/{task['id']}", json={"completed": True})
    assert tags(alice) == [{"tag": "Work", "open": 1}, {"tag": "x", "open": 1}]
    alice.http.patch(f"/api/tasks/{other['id']}", json={"completed": True})
    assert tags(alice) == [{"tag": "Work", "open": 0}, {"tag": "x", "open": 0}]
    alice.http.delete(f"/api/tasks/{task['id']}")
    assert tags(alice) == [{"tag": "work", "open": 0}, {"tag": "x", "open": 0}], "as it is written"


def test_the_tags_are_known_by_their_etag_until_they_change(alice: Person) -> None:
    alice.creates(tags=["work"])
    first = alice.http.get("/api/tags")
    unchanged = {"If-None-Match": first.headers["ETag"]}
    assert alice.http.get("/api/tags", headers=unchanged).status_code == 304
    alice.creates(tags=["work"])
    assert alice.http.get("/api/tags", headers=unchanged).json() == [{"tag": "work", "open": 2}]


def test_a_stranger_sees_no_tags_and_nobody_gives_parameters(
    alice: Person, stranger: Person
) -> None:
    assert stranger.http.get("/api/tags").status_code == 401
    assert stranger.http.get("/api/tags?x=1").status_code == 401
    problem(alice.http.get("/api/tags?x=1"), 422, "invalid-input")
    problem(alice.http.post("/api/tags", json={}), 405, "method-not-allowed")
