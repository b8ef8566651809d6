"""ETags: what is new since a client looked, and what it changes only if it still is so."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from api.http.problems import MAX_PROBLEM
from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.problems import MARK, problem

MISSING = 2**53 - 1

# How a task is changed: a method, an address, a body.
CHANGES: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "put": ("PUT", "", {"title": "Buy bread"}),
    "patch": ("PATCH", "", {"description": "One loaf"}),
    "complete": ("PATCH", "/complete", {"completed": True}),
    "toggle": ("PATCH", "/complete", None),
    "delete": ("DELETE", "", None),
}
change = pytest.mark.parametrize("name", CHANGES)
MALFORMED = ["", "3", "'3'", '"3', '"3" "4"', '"3", 4', '*, "3"', f'"{MARK} "', f"{MARK},"]


def changes(
    person: Person, name: str, task_id: int, if_match: str | None = None
) -> httpx2.Response:
    method, suffix, body = CHANGES[name]
    headers = {} if if_match is None else {"If-Match": if_match}
    return person.http.request(method, f"/api/tasks/{task_id}{suffix}", json=body, headers=headers)


def gets(person: Person, address: object = "", **headers: str) -> httpx2.Response:
    """A list's query or a task's id; `If_None_Match="..."`."""
    path = f"/{address}" if isinstance(address, int) else address
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.http.get(f"/api/tasks{path}", headers=given)


def tag(person: Person, address: object = "") -> str:
    answer = gets(person, address)
    assert answer.status_code == 200
    return str(answer.headers["ETag"])


# a task's tag


def test_a_new_task_has_the_tag_that_reading_it_tells(alice: Person) -> None:
    answer = alice.http.post("/api/tasks", json={"title": "Buy milk"})
    assert answer.headers["ETag"] == '"1"'
    assert tag(alice, answer.json()["id"]) == answer.headers["ETag"]


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "delete"])
def test_a_task_that_changes_gets_another_tag(alice: Person, name: str) -> None:
    task, other = alice.creates(), alice.creates()
    before = tag(alice, task["id"])
    answer = changes(alice, name, task["id"])
    assert answer.status_code == 200
    assert answer.headers["ETag"] == tag(alice, task["id"]) != before
    assert not answer.headers["ETag"].startswith("W/")
    assert tag(alice, other["id"]) == before


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {}),
        ("PUT", "", {"title": " Buy milk "}),
        ("PUT", "", {"title": "Buy milk", "description": None, "completed": False}),
        ("PATCH", "", {}),
        ("PATCH", "", {"completed": False}),
        ("PATCH", "/complete", {"completed": False}),
    ],
)
def test_a_task_that_stays_as_it_is_keeps_its_tag(
    alice: Person, method: str, suffix: str, body: dict[str, Any]
) -> None:
    task = alice.creates()
    before = tag(alice, task["id"])
    answer = alice.http.request(method, f"/api/tasks/{task['id']}{suffix}", json=body)
    assert answer.headers["ETag"] == tag(alice, task["id"]) == before


def test_a_tag_never_comes_back(alice: Person) -> None:
    task = alice.creates()
    tags = [tag(alice, task["id"])]
    for _ in range(4):  # to and fro
        tags.append(changes(alice, "toggle", task["id"]).headers["ETag"])
    assert len({*tags}) == len(tags)


def test_a_task_s_tag_is_its_version_wherever_it_is_shown(alice: Person) -> None:
    made = alice.creates()
    (bulk,) = alice.http.post("/api/tasks/bulk", json=[{"title": "Buy bread"}]).json()
    for number in range(1, 4):
        for task in alice.lists():
            assert task["version"] == number
            assert tag(alice, task["id"]) == f'"{number}"'
            answer = changes(alice, "toggle", task["id"], f'"{task["version"]}"')
            assert answer.status_code == 200
            assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
    assert made["version"] == bulk["version"] == 1


# what is new


@pytest.mark.parametrize("sent", ["{}", "W/{}", '"7", {}', '{} , "7"', 'W/"7",W/{}', "*"])
@pytest.mark.parametrize("what", ["a task", "a list"])
def test_what_a_client_has_is_not_sent_again(alice: Person, what: str, sent: str) -> None:
    task = alice.creates()
    address = task["id"] if what == "a task" else "?limit=5"
    whole = gets(alice, address)
    current = whole.headers["ETag"].removeprefix("W/")
    answer = gets(alice, address, If_None_Match=sent.format(current))
    assert (answer.status_code, answer.content) == (304, b"")
    assert "Content-Type" not in answer.headers
    assert int(answer.headers.get("Content-Length", 0)) == 0
    kept = {"ETag", "Link", "Cache-Control", "Vary"}
    assert {name: answer.headers.get(name) for name in kept} == {
        name: whole.headers.get(name) for name in kept
    }


@pytest.mark.parametrize("sent", ['"7"', 'W/"7"', '"7", "8"', '""', '"*"', '"W/1"', None])
@pytest.mark.parametrize("what", ["a task", "a list"])
def test_what_it_has_not_is_sent(alice: Person, what: str, sent: str | None) -> None:
    task = alice.creates()
    address = task["id"] if what == "a task" else ""
    answer = gets(alice, address, **({"If_None_Match": sent} if sent else {}))
    assert answer.status_code == 200
    assert answer.json() == (task if what == "a task" else [task])


def test_a_client_that_looks_again_learns_of_each_change_once(alice: Person) -> None:
    task = alice.creates()
    known = tag(alice, task["id"])
    for name in ("put", "patch", "complete"):
        assert gets(alice, task["id"], If_None_Match=known).status_code == 304
        changed = changes(alice, name, task["id"]).json()
        answer = gets(alice, task["id"], If_None_Match=known)
        assert (answer.status_code, answer.json()) == (200, changed)
        known = answer.headers["ETag"]
    changes(alice, "delete", task["id"])
    problem(gets(alice, task["id"], If_None_Match=known), 404, "no-such-task")


@pytest.mark.parametrize("address", ["/api/tasks/{}", "/api/tasks"])
def test_head_asks_what_is_new_as_get_does(alice: Person, address: str) -> None:
    address = address.format(alice.creates()["id"])
    for sent, status in (('"7"', 200), ("*", 304), (alice.http.get(address).headers["ETag"], 304)):
        headers = {"If-None-Match": sent, "X-Request-Id": "one"}
        got, head = (alice.http.request(m, address, headers=headers) for m in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (status, b"")
        moving = {"date": "", "ratelimit": ""}
        assert {**head.headers, **moving} == {**got.headers, **moving}


def test_nobody_is_told_that_nothing_is_new_of_what_is_not_there(
    alice: Person, stranger: Person
) -> None:
    problem(gets(alice, MISSING, If_None_Match="*"), 404, "no-such-task")
    problem(gets(stranger, "", If_None_Match="*"), 401, "unauthorized")
    problem(gets(alice, "?limit=0", If_None_Match="*"), 422, "invalid-input")


# a list's tag


@pytest.fixture
def shelf(alice: Person) -> list[dict[str, Any]]:
    """Three tasks of alice's, the newest first; the second is completed."""
    return [alice.creates(f"Task {n}", completed=n == 1) for n in range(3)][::-1]


def test_a_list_s_tag_is_weak_and_stays_while_the_list_does(
    alice: Person, bob: Person, shelf: list[dict[str, Any]]
) -> None:
    known = tag(alice)
    assert known.startswith('W/"')
    bob.creates()
    alice.http.put(f"/api/tasks/{shelf[0]['id']}", json={"title": shelf[0]["title"]})
    changes(alice, "put", shelf[0]["id"], '"7"')
    assert tag(alice) == known


@change
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_list_s_tag_changes_with_any_task_in_it(
    alice: Person, shelf: list[dict[str, Any]], name: str, place: int
) -> None:
    lists = ("", "?limit=3", "?sort=title", "?q=task")
    known = {query: tag(alice, query) for query in lists}
    if name == "complete":  # the one that is so already is not changed by being told
        alice.http.patch(
            f"/api/tasks/{shelf[place]['id']}/complete",
            json={"completed": not shelf[place]["completed"]},
        )
    else:
        changes(alice, name, shelf[place]["id"])
    for query in lists:
        answer = gets(alice, query, If_None_Match=known[query])
        assert answer.status_code == 200
        assert answer.headers["ETag"] != known[query]


def test_a_page_s_tag_changes_when_another_page_comes_or_goes(
    alice: Person, shelf: list[dict[str, Any]]
) -> None:
    page = "?limit=2&sort=created_at"
    first, known = alice.lists(limit=2, sort="created_at"), tag(alice, page)
    changes(alice, "delete", shelf[0]["id"])  # it was on the second page
    assert alice.lists(limit=2, sort="created_at") == first
    assert "next" not in gets(alice, page).links
    assert tag(alice, page) != known
    alone = tag(alice, page)
    alice.creates()
    assert "next" in gets(alice, page).links
    assert alice.lists(limit=2, sort="created_at") == first
    assert tag(alice, page) != alone


def test_a_page_s_tag_stays_when_something_beyond_it_changes(
    alice: Person, shelf: list[dict[str, Any]]
) -> None:
    known = tag(alice, "?limit=1")
    changes(alice, "put", shelf[2]["id"])
    changes(alice, "delete", shelf[2]["id"])
    assert tag(alice, "?limit=1") == known


def test_with_the_total_the_tag_changes_when_the_total_does(
    alice: Person, shelf: list[dict[str, Any]]
) -> None:
    def counted(known: str = '""') -> httpx2.Response:
        return gets(alice, "?limit=1", Prefer="count=exact", If_None_Match=known)

    known = counted().headers["ETag"]
    assert known != tag(alice, "?limit=1")
    unchanged = counted(known)
    assert unchanged.status_code == 304
    assert unchanged.headers["X-Total-Count"] == "3"
    changes(alice, "put", shelf[2]["id"])  # beyond the page
    assert counted(known).status_code == 304
    changes(alice, "delete", shelf[2]["id"])
    answer = counted(known)
    assert (answer.status_code, answer.headers["X-Total-Count"]) == (200, "2")


# only if it still is so


def sees_with_tag(person: Person, task_id: int) -> tuple[Any, str]:
    answer = gets(person, task_id)
    return answer.json(), answer.headers["ETag"]


def test_the_client_that_knows_the_task_may_change_it_again_and_again(alice: Person) -> None:
    task = alice.creates()
    known = tag(alice, task["id"])
    for name in ("put", "patch", "complete", "toggle"):
        answer = changes(alice, name, task["id"], known)
        assert answer.status_code == 200
        known = answer.headers["ETag"]
        assert sees_with_tag(alice, task["id"]) == (answer.json(), known)
    answer = changes(alice, "delete", task["id"], known)
    assert (answer.status_code, answer.content) == (204, b"")
    assert alice.lists() == []


@change
@pytest.mark.parametrize("sent", ["*", '"7", {}', '{},"7"', 'W/"7", {} ,', "{0}, {0}"])
def test_any_tag_of_a_list_will_do(alice: Person, name: str, sent: str) -> None:
    task = alice.creates()
    changes(alice, "put", task["id"])
    answer = changes(alice, name, task["id"], sent.format(tag(alice, task["id"])))
    assert answer.status_code == (204 if name == "delete" else 200)


@change
@pytest.mark.parametrize(
    "sent", ['"1"', '"3"', "W/{}", '"1", "3", W/{}', '""', '"*"', '"02"', f'"{MARK}"', '"22"']
)
def test_a_client_that_knows_another_task_changes_nothing(
    alice: Person, name: str, sent: str
) -> None:
    task = alice.creates()
    changes(alice, "put", task["id"])
    now, current = sees_with_tag(alice, task["id"])
    assert current == '"2"'
    answer = changes(alice, name, task["id"], sent.format(current))
    assert problem(answer, 412, "precondition-failed")["current"] == now
    assert answer.headers["ETag"] == current
    assert sees_with_tag(alice, task["id"]) == (now, current)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ('W/"2"', "weak tag, as compressing proxies make of it"),
        ('W/"1", W/"2"', "weak tag, as compressing proxies make of it"),
        ('"1", W/"2"', "weak tag, as compressing proxies make of it"),
        ('"2-gzip"', "tag with a suffix, as compressing proxies append to it"),
        ('"1", "2--br"', "tag with a suffix, as compressing proxies append to it"),
        ('"1"', "The task is not what it was any more"),
        ('"two-gzip"', "The task is not what it was any more"),
    ],
)
def test_a_tag_that_a_proxy_has_changed_never_matches_and_is_told_from_a_conflict(
    alice: Person, sent: str, said: str
) -> None:
    task = alice.creates()
    changes(alice, "put", task["id"])
    for name in CHANGES:
        answer = changes(alice, name, task["id"], sent)
        assert said in problem(answer, 412, "precondition-failed")["detail"]
    body = {"version": 1}
    answer = alice.http.put(f"/api/tasks/{task['id']}", json=body, headers={"If-Match": 'W/"7", *'})
    problem(answer, 400, "malformed-request")
    for strong in ('"2"', 'W/"2", "2"', "*"):  # then it is the version in the body
        headers = {"If-Match": strong}
        answer = alice.http.put(f"/api/tasks/{task['id']}", json=body, headers=headers)
        assert "not what it was" in problem(answer, 412, "precondition-failed")["detail"]


def test_the_longest_task_there_is_has_room_in_a_problem(alice: Person) -> None:
    task = alice.creates("\x01" * 199 + "x", description="\x01" * 10_000)
    answer = changes(alice, "put", task["id"], '"2"')
    assert problem(answer, 412, "precondition-failed")["current"] == task
    assert 60_000 < len(answer.content) < MAX_PROBLEM


@change
def test_what_is_not_there_is_not_found_whatever_it_is_taken_for(alice: Person, name: str) -> None:
    task = alice.creates()
    known = tag(alice, task["id"])
    changes(alice, "delete", task["id"])
    for sent in (known, "*", '"7"'):
        for task_id in (task["id"], MISSING, 0):
            answer = changes(alice, name, task_id, sent)
            assert "current" not in problem(answer, 404, "no-such-task")
            assert "ETag" not in answer.headers


# what is no tag


@pytest.mark.parametrize("sent", MALFORMED)
def test_what_is_no_tag_is_refused(alice: Person, sent: str) -> None:
    task = alice.creates()
    answers = {"If-Match": [changes(alice, name, task["id"], sent) for name in CHANGES]}
    answers["If-None-Match"] = [gets(alice, a, If_None_Match=sent) for a in ("", task["id"])]
    for header, refused in answers.items():
        for answer in refused:
            (error,) = problem(answer, 400, "malformed-request")["errors"]
            assert error["header"] == header
    assert alice.lists() == [task]


def test_a_stranger_s_tags_are_not_read(stranger: Person) -> None:
    problem(changes(stranger, "put", 7, "malformed"), 401, "unauthorized")


def test_tags_on_several_lines_are_one_list(alice: Person) -> None:
    task = alice.creates()
    address = f"/api/tasks/{task['id']}"
    for lines, status in (
        (('"7"', '"1"'), (304, 204)),
        (('W/"7"', '"8", "1"', '"9"'), (304, 204)),
        (('"7"', '"8"'), (200, 412)),
        (('"1"', "1"), (400, 400)),
        (("*", '"1"'), (400, 400)),
        (('"1', '1"'), (400, 400)),  # no string goes on in the next line
    ):
        ifs = [[(name, line) for line in lines] for name in ("If-None-Match", "If-Match")]
        got = alice.http.get(address, headers=ifs[0])
        deleted = alice.http.delete(address, headers=ifs[1])
        assert (got.status_code, deleted.status_code) == status, lines
        if deleted.status_code == 204:
            address = f"/api/tasks/{alice.creates()['id']}"


# two clients at once


def test_of_two_clients_that_know_the_same_task_one_changes_it(alice: Person) -> None:
    task = alice.creates()

    def renames(title: str, known: str) -> httpx2.Response:
        return alice.http.put(
            f"/api/tasks/{task['id']}", json={"title": title}, headers={"If-Match": known}
        )

    with ThreadPoolExecutor(2) as pool:
        for n in range(30):
            known = tag(alice, task["id"])
            one, other = pool.map(renames, (f"one {n}", f"other {n}"), (known, known))
            winner, loser = (one, other) if one.status_code == 200 else (other, one)
            assert winner.status_code == 200
            assert problem(loser, 412)["current"] == winner.json() == alice.sees(task["id"])
            assert loser.headers["ETag"] == winner.headers["ETag"] == tag(alice, task["id"])


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_the_task_is_compared_in_the_moment_of_the_change(
    alice: Person, database: TaskDatabase, first: str, second: str
) -> None:
    """Both have passed every check that comes before the lock on the row."""
    task = alice.creates()
    known = tag(alice, task["id"])
    lock = "select from task where id = %s for update"
    with ThreadPoolExecutor(2) as pool:
        with held(database.superuser, lock, task["id"]) as waiting:
            one = pool.submit(changes, alice, first, task["id"], known)
            waiting(1)
            other = pool.submit(changes, alice, second, task["id"], known)
            waiting(2)
        winner, loser = one.result(), other.result()
    assert winner.status_code == (204 if first == "delete" else 200)
    if first == "delete":
        problem(loser, 404, "no-such-task")
        assert alice.lists() == []
    else:
        assert problem(loser, 412, "precondition-failed")["current"] == winner.json()
        assert loser.headers["ETag"] == winner.headers["ETag"]
        assert alice.lists() == [winner.json()]
