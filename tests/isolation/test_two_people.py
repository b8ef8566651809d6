"""Alice and Bob on every route: what is one's own, what is the other's, what is nobody's.

Every test runs twice: with both walls, and with the explicit filters alone.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import httpx2
import psycopg
import pytest

from api.commands import personal_data
from api.database.pipeline import Call
from api.database.session import Transaction
from api.database.statement import Statement
from tests import batches
from tests.every_statement import every_statement
from tests.openapi import DOCUMENT
from tests.people import Person, soon_over
from tests.problems import problem
from tests.rows import id_of, makes
from tests.sync.device import Device

NOBODYS = 2**53 - 1
MINE = '"the same key for both"'
UID = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"

# Each route that names somebody's row, and how it answers its owner.
ROUTES: dict[str, tuple[str, str, dict[str, Any] | None, int]] = {
    "get": ("GET", "/api/tasks/{}", None, 200),
    "put": ("PUT", "/api/tasks/{}", {"title": "Taken", "completed": True}, 200),
    "put as it was read": ("PUT", "/api/tasks/{}", {"title": "Taken", "id": None}, 200),
    "patch": ("PATCH", "/api/tasks/{}", {"description": "Taken"}, 200),
    "patch nothing": ("PATCH", "/api/tasks/{}", {}, 200),
    "complete": ("PATCH", "/api/tasks/{}/complete", {"completed": True}, 200),
    "toggle": ("PATCH", "/api/tasks/{}/complete", None, 200),
    "delete": ("DELETE", "/api/tasks/{}", None, 204),
}
route = pytest.mark.parametrize("name", ROUTES)


def calls(person: Person, name: str, row_id: int, **headers: str) -> httpx2.Response:
    method, path, body, _ = ROUTES[name]
    if body and "id" in body:
        body = body | {"id": row_id}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    # the same id for every request, so that all else of the answers can be compared
    given["X-Request-Id"] = "one"
    return person.http.request(method, path.format(row_id), json=body, headers=given)


def headers_of(name: str) -> set[str]:
    """Those that the route takes, by the document."""
    method, path, *_ = ROUTES[name]
    (operation,) = (
        methods[method.lower()]
        for template, methods in DOCUMENT["paths"].items()
        if re.sub(r"{\w+}", "{}", template) == path
    )
    return {
        parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"
    }


def all_of(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    """The answer to the last byte, but for when it was sent and how many more may be."""
    return answer.status_code, {**answer.headers, "date": "", "ratelimit": ""}, answer.content


@route
def test_alice_reaches_her_own_task(alice: Person, name: str) -> None:
    row = makes(alice, ROUTES[name][1])
    assert calls(alice, name, id_of(row)).status_code == ROUTES[name][3]


@pytest.mark.evidence("by-id", "broken-policy")
@route
def test_bob_cannot_reach_it_and_it_stays_as_it_was(alice: Person, bob: Person, name: str) -> None:
    row = makes(alice, ROUTES[name][1])
    before = alice.http.get(row)
    assert before.status_code == 200  # the control: it is really there
    assert calls(bob, name, id_of(row)).status_code == 404
    assert alice.http.get(row).content == before.content


@pytest.mark.evidence("existence")
@route
def test_bob_cannot_tell_hers_from_nobodys(alice: Person, bob: Person, name: str) -> None:
    row = makes(alice, ROUTES[name][1])
    hers, missing = (calls(bob, name, n) for n in (id_of(row), NOBODYS))
    problem(hers, 404)
    assert all_of(hers) == all_of(missing)


@pytest.mark.evidence("existence")
@pytest.mark.parametrize("guess", ["hers", "*", '"999"', 'W/"1"'])
@route
def test_nor_by_what_he_takes_it_for(alice: Person, bob: Person, name: str, guess: str) -> None:
    method, path, _, status = ROUTES[name]
    row = makes(alice, path)
    before = alice.http.get(row)
    header = "If_None_Match" if method == "GET" else "If_Match"
    guessed = {header: before.headers["ETag"] if guess == "hers" else guess}
    hers, missing = (calls(bob, name, n, **guessed) for n in (id_of(row), NOBODYS))
    assert "current" not in problem(hers, 404)
    assert "ETag" not in hers.headers
    assert all_of(hers) == all_of(missing)
    assert alice.http.get(row).content == before.content
    # the control: to her it says something, if the route takes it
    if header.replace("_", "-") not in headers_of(name):
        told = status
    elif method == "GET":
        told = 200 if guess == '"999"' else 304
    else:
        told = 412 if guess in ('"999"', 'W/"1"') else status
    assert calls(alice, name, id_of(row), **guessed).status_code == told


@pytest.mark.evidence("no-token")
@route
def test_a_stranger_gets_no_answer_about_it(alice: Person, stranger: Person, name: str) -> None:
    row = makes(alice, ROUTES[name][1])
    before = alice.http.get(row)
    assert calls(stranger, name, id_of(row)).status_code == 401
    assert alice.http.get(row).content == before.content


@pytest.mark.evidence("lists")
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


@pytest.mark.evidence("no-token")
def test_a_stranger_lists_nothing_and_creates_nothing(stranger: Person) -> None:
    assert stranger.http.get("/api/tasks").status_code == 401
    assert stranger.http.post("/api/tasks", json={"title": "Mine?"}).status_code == 401


@pytest.mark.evidence("another-name")
@pytest.mark.parametrize("member", ["user_id", "id", "created_at", "updated_at", "version"])
def test_bob_cannot_say_whose_a_task_is_or_when_it_began(
    alice: Person, bob: Person, member: str
) -> None:
    hers = alice.creates()
    for title in ("His own", "Another"):
        task = bob.creates(title)
    task = bob.http.patch(f"/api/tasks/{task['id']}", json={"completed": True}).json()
    answer = bob.http.post("/api/tasks", json={"title": "For you", member: hers[member]})
    assert answer.status_code == 422
    for method in ("PUT", "PATCH"):
        body = {member: hers[member], "title": "For you"}
        answer = bob.http.request(method, f"/api/tasks/{task['id']}", json=body)
        assert answer.status_code == (412 if member == "version" else 422)
        assert hers["user_id"] not in answer.text
    assert bob.lists()[0] == task
    assert alice.lists() == [hers]


@pytest.mark.evidence("lists")
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


def test_her_place_in_a_list_is_none_in_his(alice: Person, bob: Person) -> None:
    for n in range(3):
        alice.creates(f"Alice's {n}")
        bob.creates(f"Bob's {n}")
    further = alice.http.get("/api/tasks?limit=1").links["next"]["url"]
    assert problem(bob.http.get(further), 400)["errors"][0]["parameter"] == "cursor"
    assert [task["title"] for task in alice.http.get(further).json()] == ["Alice's 1"]


def test_what_is_found_and_counted_is_ones_own(alice: Person, bob: Person) -> None:
    alice.creates("Buy milk", description="for Bob", completed=True)
    alice.creates("Buy milk")
    his = bob.creates("Buy milk", completed=True)
    assert bob.lists(q="milk") == bob.lists(q="milk", sort="title") == [his]
    assert bob.lists(q="Bob") == []
    for parameters in ({}, {"q": "milk"}, {"completed": "true"}):
        answer = bob.http.get("/api/tasks", params=parameters, headers={"Prefer": "count=exact"})
        assert answer.headers["X-Total-Count"] == "1"
        assert set(answer.links) == {"first"}


# What somebody says of a task, and a filter that finds it by that.
FOUND_BY: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "priority": ({"priority": "high"}, "priority=high,medium"),
    "tags": ({"tags": ["Home", "x"]}, "tags=home,x"),
    "any_tag": ({"tags": ["Home"]}, "any_tag=home,y"),
    "due_before": ({"due_date": "2026-12-01"}, "due_before=2026-12-02"),
    "due_after": ({"due_date": "2026-12-01", "due_time": "09:30"}, "due_after=2026-11-30"),
    "due": ({}, "due=none"),
    "completed_after": ({"completed": True}, "completed_after=2000-01-01T00:00:00Z"),
    "completed_before": ({"completed": True}, "completed_before=2999-01-01T00:00:00Z"),
}


@pytest.mark.evidence("lists")
@pytest.mark.parametrize("name", FOUND_BY)
@pytest.mark.parametrize("sort", ["due_date", "-due_date", "priority", "-completed_at"])
def test_what_a_filter_finds_is_ones_own(alice: Person, bob: Person, name: str, sort: str) -> None:
    members, query = FOUND_BY[name]
    hers = [alice.creates(**members)["id"] for _ in range(2)]
    his = [bob.creates(**members)["id"] for _ in range(2)]
    for person, ids in ((alice, hers), (bob, his)):
        seen, path = [], f"/api/tasks?{query}&sort={sort}&limit=1"
        while path:
            answer = person.http.get(path, headers={"Prefer": "count=exact"})
            assert answer.headers["X-Total-Count"] == "2"
            seen += [task["id"] for task in answer.json()]
            path = answer.links["next"]["url"] if "next" in answer.links else ""
        assert seen == (ids[::-1] if sort[0] == "-" else ids)


@pytest.mark.evidence("untried-route")
def test_every_filter_of_the_document_is_tried() -> None:
    parameters = DOCUMENT["paths"]["/api/tasks"]["get"]["parameters"]
    given = {one["name"] for one in parameters if one["in"] == "query"}
    tried = {"cursor", "completed", "q", "sort", "limit", "offset"}  # by other tests of this file
    dates = {f"{which}_{side}" for which in ("created", "updated") for side in ("after", "before")}
    assert given - tried - dates == {*FOUND_BY}


@pytest.mark.evidence("lists")
def test_each_has_tags_of_their_own(alice: Person, bob: Person) -> None:
    alice.creates(tags=["Home", "hers"])
    bob.creates(tags=["home"])
    assert bob.http.get("/api/tags").json() == [{"tag": "home", "open": 1}]
    assert [tag["tag"] for tag in alice.http.get("/api/tags").json()] == ["hers", "Home"]


@pytest.mark.evidence("by-id")
def test_what_follows_bobs_task_is_bobs(alice: Person, bob: Person) -> None:
    hers = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    his = bob.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    answer = bob.http.patch(f"/api/tasks/{his['id']}", json={"next_id": hers["id"]})
    assert problem(answer, 422)["errors"][0]["pointer"] == "#/next_id"
    for name in ("complete", "put", "toggle"):
        assert calls(bob, name, hers["id"]).status_code == 404
    done = calls(bob, "complete", his["id"]).json()
    assert [task["id"] for task in bob.lists()] == [done["next_id"], his["id"]]
    assert {task["user_id"] for task in bob.lists()} == {bob.id}
    assert alice.lists() == [hers]


def test_several_at_once_are_ones_own(alice: Person, bob: Person) -> None:
    answer = bob.http.post("/api/tasks/bulk", json=[{"title": "One"}, {"title": "Two"}])
    assert answer.status_code == 201
    assert {task["user_id"] for task in answer.json()} == {bob.id}
    assert bob.lists() == answer.json()[::-1]
    assert alice.lists() == []


def test_bob_clears_what_he_has_done_and_nothing_of_hers(alice: Person, bob: Person) -> None:
    hers = [alice.creates(completed=completed) for completed in (True, False)]
    bob.creates(completed=True)
    open_ = bob.creates()
    answer = bob.http.delete("/api/tasks", params={"completed": "true"})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1})
    assert bob.lists() == [open_]
    assert alice.lists() == hers[::-1]


@pytest.mark.evidence("idempotency-keys")
@pytest.mark.parametrize("path", ["", "/bulk"])
@pytest.mark.parametrize("title", ["Buy milk", "Buy bread"], ids=["her words", "his own"])
def test_bob_s_key_is_his_own(alice: Person, bob: Person, path: str, title: str) -> None:
    def sends(person: Person, title: str) -> httpx2.Response:
        body: Any = [{"title": title}] if path else {"title": title}
        return person.http.post(f"/api/tasks{path}", json=body, headers={"Idempotency-Key": MINE})

    hers, his = sends(alice, "Buy milk"), sends(bob, title)
    assert his.status_code == 201
    assert "Idempotency-Replayed" not in his.headers
    assert [(task["user_id"], task["title"]) for task in bob.lists()] == [(bob.id, title)]
    for person, first, words in ((bob, his, title), (alice, hers, "Buy milk")):
        again = sends(person, words)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.content == first.content
        assert len(person.lists()) == 1


@pytest.mark.evidence("idempotency-keys")
def test_bob_s_key_completes_nothing_of_hers(alice: Person, bob: Person) -> None:
    task = alice.creates()
    done = calls(alice, "toggle", task["id"], Idempotency_Key=MINE)
    refused, missing = (
        calls(bob, "toggle", n, Idempotency_Key=MINE) for n in (task["id"], NOBODYS)
    )
    problem(refused, 404, "no-such-task")
    assert all_of(refused) == all_of(missing)
    again = calls(alice, "toggle", task["id"], Idempotency_Key=MINE)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == done.json() == alice.sees(task["id"])


@pytest.mark.evidence("key-existence")
def test_what_bob_sends_forgets_nothing_of_hers(
    alice: Person, bob: Person, as_superuser: psycopg.Connection
) -> None:
    for person in (alice, bob):
        person.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "old"})
    as_superuser.execute(
        "update idempotency_key set created_at = now() - interval '25 hours'"
        " where user_id in (%s, %s)",
        [alice.id, bob.id],
    )
    bob.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "new"})
    kept = as_superuser.execute(
        "select user_id, key from idempotency_key where user_id in (%s, %s)", [alice.id, bob.id]
    ).fetchall()
    assert sorted(kept) == [(alice.id, "old"), (bob.id, "new")]


def test_hers_that_have_expired_do_not_keep_his(
    alice: Person, bob: Person, as_superuser: psycopg.Connection
) -> None:
    for person, hours in ((alice, 26), (bob, 25)):
        as_superuser.execute(
            "insert into idempotency_key (user_id, key, fingerprint, created_at)"
            " select %s, %s || n, 'f', now() - %s * interval '1 hour'"
            " from generate_series(1, 50) as n",
            [person.id, person.id, hours],
        )
    bob.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "new"})
    kept = as_superuser.execute(
        "select user_id, count(*) from idempotency_key where user_id in (%s, %s) group by user_id",
        [alice.id, bob.id],
    ).fetchall()
    assert sorted(kept) == [(alice.id, 50), (bob.id, 1)]


# --- what has changed, and what was made offline ---


@pytest.mark.evidence("lists")
def test_each_is_told_of_their_own_changes(alice: Person, bob: Person) -> None:
    phones = [Device(person) for person in (alice, bob)]
    for phone in phones:
        phone.syncs()
    tokens = [phone.token for phone in phones]
    hers = [alice.creates(completed=completed)["id"] for completed in (True, False)]
    assert phones[1].syncs() == []
    assert phones[1].token == tokens[1]
    his = bob.creates(completed=True)["id"]
    assert bob.http.delete("/api/tasks?completed=true").json() == {"deleted": 1}
    for phone, told in ((phones[0], [(task, 1) for task in hers]), (phones[1], [his])):
        assert phone.syncs() == told
    assert Device(bob).syncs() == []


def test_her_token_is_none_of_his(alice: Person, bob: Person) -> None:
    phone, his = Device(alice), Device(bob)
    phone.syncs()
    his.token = phone.token
    answer = his.asks()
    assert problem(answer, 400)["errors"][0]["parameter"] == "since"
    assert alice.id not in answer.text


@pytest.mark.evidence("collisions", "existence")
@pytest.mark.parametrize("path", ["", "/bulk"])
@pytest.mark.parametrize("hers", ["there", "deleted"])
def test_a_uid_of_hers_tells_bob_nothing(alice: Person, bob: Person, path: str, hers: str) -> None:
    def sends(person: Person, uid: str) -> httpx2.Response:
        body: Any = {"title": "Buy milk", "uid": uid}
        return person.http.post(f"/api/tasks{path}", json=[body] if path else body)

    task = alice.creates("A secret", uid=UID)
    if hers == "deleted":
        alice.http.delete(f"/api/tasks/{task['id']}")
    answers = [sends(bob, uid) for uid in (UID, UID.replace("7", "8", 1))]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert "A secret" not in answers[0].text
    assert [task["user_id"] for task in bob.lists()] == [bob.id] * 2
    assert alice.lists() == ([task] if hers == "there" else [])
    again = sends(bob, UID)  # the control: to him it says something
    assert again.status_code == (201 if path else 200)
    assert again.json() == answers[0].json()


# --- nothing is left out ---

# Every operation, as somebody does it who knows of another's row.
OPERATIONS: dict[str, Callable[[Person, int], httpx2.Response]] = {
    "listTasks": lambda person, _: person.http.get("/api/tasks?q=milk&limit=1000"),
    "listTags": lambda person, _: person.http.get("/api/tags"),
    "listChanges": lambda person, _: person.http.get("/api/tasks/changes"),
    "createTask": lambda person, _: person.http.post("/api/tasks", json={"title": "x"}),
    "createTasks": lambda person, _: person.http.post("/api/tasks/bulk", json=[{"title": "x"}]),
    "runBatch": lambda person, task_id: batches.sends(
        person, [{"op": "update", "id": task_id, "title": "x"}, {"op": "create", "title": "x"}]
    ),
    "deleteCompletedTasks": lambda person, _: person.http.delete("/api/tasks?completed=true"),
    "getTask": lambda person, task_id: calls(person, "get", task_id),
    "putTask": lambda person, task_id: calls(person, "put", task_id),
    "updateTask": lambda person, task_id: calls(person, "patch", task_id),
    "completeTask": lambda person, task_id: calls(person, "complete", task_id),
    "deleteTask": lambda person, task_id: calls(person, "delete", task_id),
    "watchTasks": lambda person, _: person.http.get("/api/tasks/events", headers=soon_over(person)),
}
# What the operator does for one person at a time: test_one_person.py
OF_THE_OPERATOR = {
    statement for kind in personal_data.KINDS for statement in (kind.total, kind.export, kind.erase)
}


def documented() -> dict[str, tuple[str, str]]:
    """The operations of the document that need to know who asks: method and path, by their id."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if "security" in operation or path.startswith("/api/")
    }


@pytest.mark.evidence("untried-route")
def test_every_operation_of_the_document_is_among_these() -> None:
    assert {*documented()} == {*OPERATIONS}


@pytest.mark.evidence("untried-route")
def test_every_operation_that_names_a_row_is_among_the_routes() -> None:
    told = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in documented().values()}
    named = {(method, path) for method, path in told if "{}" in path}
    assert named == {(method, path) for method, path, *_ in ROUTES.values()}


@pytest.mark.evidence("untried-route")
@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_bob_does_hers_stay_as_they_were(alice: Person, bob: Person, name: str) -> None:
    method, path = documented()[name]
    alice.creates("Buy milk", completed=True)
    row = makes(alice, path)
    collection = row.rpartition("/")[0]
    before = alice.http.get(collection).content
    answer = OPERATIONS[name](bob, id_of(row))
    assert alice.id not in answer.text
    assert alice.http.get(collection).content == before
    control = OPERATIONS[name](alice, id_of(row))
    assert control.is_success
    assert (alice.id in control.text) == (
        method != "DELETE" and name not in ("listTags", "watchTasks")
    )


@pytest.mark.evidence("forgotten-filter")
def test_every_statement_is_run_for_two_people(
    alice: Person, bob: Person, as_superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that nobody runs here has no test that it keeps people apart."""
    ran: dict[str, set[str]] = {}
    call = Transaction._call  # noqa: SLF001

    def noted(tx: Transaction, statement: Statement, values: dict[str, object]) -> Call:
        ran.setdefault(statement.sql, set()).add(tx.user.id)
        return call(tx, statement, values)

    monkeypatch.setattr(Transaction, "_call", noted)
    both = (alice, bob)
    for person in both:
        assert person.http.get("/api/tasks/changes").is_success
    for person, other in (both, both[::-1]):
        for name, (_, path) in documented().items():
            OPERATIONS[name](person, id_of(makes(other, path)))
        calls(person, "put as it was read", other.creates()["id"])
        since = person.http.get("/api/tasks/changes").json()["next"]
        assert person.http.get("/api/tasks/changes", params={"since": since}).is_success
        for _ in range(2):
            person.http.post("/api/tasks", json={"title": "x", "uid": UID}).raise_for_status()
        person.creates()
        repeats = person.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
        assert calls(person, "complete", repeats["id"]).json()["next_id"] is not None
        for limit in (1, 1000):
            first = person.http.get("/api/tasks?limit=1", headers={"Prefer": "count=exact"})
            further = httpx2.URL(first.links["next"]["url"])
            assert person.http.get(further.copy_set_param("limit", limit)).is_success
            assert person.http.get("/api/tasks", params={"limit": limit}).is_success
        for key in ("one", "one", "two"):
            person.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": key})
        as_superuser.execute(
            "update idempotency_key set created_at = now() - interval '25 h' where user_id = %s",
            [person.id],
        )
        person.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "three"})

    run_for_both = {sql for sql, people in ran.items() if people == {alice.id, bob.id}}
    expected = every_statement("none")
    alone = {statement.sql for statement in OF_THE_OPERATOR}
    assert {one.sql for one in expected if one.at_import} - alone <= run_for_both
    places = {one.place for one in expected if one.sql in run_for_both}
    assert {one.place for one in expected if one.sql not in alone} == places


@route
def test_a_row_of_the_same_id_is_not_reached_with_one_s_own(
    alice: Person, bob: Person, as_superuser: psycopg.Connection, name: str
) -> None:
    # the sequence gives an id once, and no constraint demands that
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")
    as_superuser.execute(
        "insert into task (user_id, id, title) overriding system value values (%s, %s, 'His')",
        [bob.id, task["id"]],
    )
    before = bob.sees(task["id"])
    assert calls(alice, name, task["id"]).status_code == ROUTES[name][3]
    assert bob.sees(task["id"]) == before
