"""What a device is told: each change once, whatever the pages, and nothing of what changed none."""

from collections.abc import Callable
from typing import Any, Final

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.people import People, Person
from tests.problems import problem
from tests.sync.device import CHANGES, Device

UID: Final = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"
Change = tuple[str, int]


def test_a_new_device_is_told_all_and_then_what_changes(alice: Person) -> None:
    tasks = [alice.creates(f"Task {n}") for n in range(3)]
    phone = Device(alice)
    assert phone.syncs() == [(task["id"], 1) for task in tasks]
    assert phone.tasks == {task["id"]: task for task in tasks}
    assert phone.syncs() == []

    first, second, third = (task["id"] for task in tasks)
    alice.http.patch(f"/api/tasks/{second}", json={"title": "Buy bread"})
    fourth = alice.creates()["id"]
    alice.http.delete(f"/api/tasks/{first}")
    alice.http.patch(f"/api/tasks/{third}/complete")
    assert phone.syncs() == [(second, 2), (fourth, 1), (third, 2), first]
    assert phone.is_in_step()
    assert phone.syncs() == []


def test_what_changed_twice_is_told_as_it_is_now(alice: Person) -> None:
    phone = Device(alice)
    phone.syncs()
    task, gone = alice.creates()["id"], alice.creates()["id"]
    for title in ("One", "Two"):
        alice.http.patch(f"/api/tasks/{task}", json={"title": title})
    alice.http.delete(f"/api/tasks/{gone}")
    assert phone.syncs() == [(task, 3), gone]


def test_the_task_that_follows_is_told_with_the_one_before(alice: Person) -> None:
    phone = Device(alice)
    task = alice.creates(due_date="2999-01-01", repeat="FREQ=DAILY")["id"]
    phone.syncs()
    done = alice.http.patch(f"/api/tasks/{task}/complete").json()
    told = phone.syncs()
    assert len(told) == 2
    assert {*told} == {(done["next_id"], 1), (task, done["version"])}
    assert phone.is_in_step()


def test_a_newcomer_s_token_is_good_when_the_first_task_is_made(alice: Person) -> None:
    phone, tablet = Device(alice), Device(alice)
    assert phone.syncs() == tablet.syncs() == []
    assert phone.token == tablet.token
    task = alice.creates()
    assert phone.syncs() == tablet.syncs() == [(task["id"], 1)]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_pages_end_inside_what_was_deleted_at_once(alice: Person, limit: int) -> None:
    done = [alice.creates(completed=True)["id"] for _ in range(5)]
    kept = alice.creates()["id"]
    phone = Device(alice)
    phone.syncs()
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": 5}
    alice.http.patch(f"/api/tasks/{kept}", json={"title": "Kept"})
    told = phone.syncs(limit=limit)
    assert len(told) == 6
    assert {*told} == {*done, (kept, 2)}
    assert phone.syncs(limit=limit) == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_nothing_made_during_a_full_listing_is_missed(alice: Person, limit: int) -> None:
    tasks = [alice.creates(f"Task {n}")["id"] for n in range(6)]
    phone = Device(alice)
    assert phone.turns(limit=limit)
    alice.http.patch(f"/api/tasks/{tasks[0]}", json={"title": "Told already"})
    alice.http.patch(f"/api/tasks/{tasks[-1]}", json={"title": "Not told yet"})
    alice.http.delete(f"/api/tasks/{tasks[0]}")
    alice.http.delete(f"/api/tasks/{tasks[-2]}")
    alice.creates("New")
    phone.syncs(limit=limit)  # the rest of the listing
    phone.syncs(limit=limit)
    assert phone.is_in_step()


def test_a_full_listing_ends_although_somebody_goes_on_writing(alice: Person) -> None:
    tasks = [alice.creates(f"Task {n}")["id"] for n in range(4)]
    phone, more, pages = Device(alice), True, 0
    while more:
        more, pages = phone.turns(limit=1), pages + 1
        alice.http.patch(f"/api/tasks/{tasks[0]}", json={"title": f"Again {pages}"})
        assert pages <= len(tasks) + 1
    phone.syncs()
    assert phone.is_in_step()


def test_a_page_ends_at_a_megabyte(alice: Person) -> None:
    long = {"title": "x", "description": "\U0001f95b" * 10_000}
    for _ in range(3):
        alice.http.post("/api/tasks/bulk", json=[long] * 20)
    phone = Device(alice)
    answers = [phone.asks()]
    while answers[-1].json()["more"]:
        phone.token = answers[-1].json()["next"]
        answers.append(phone.asks())
    assert len(answers) > 1
    assert all(len(answer.content) < 1.1 * 1024 * 1024 for answer in answers)
    told = [task["id"] for answer in answers for task in answer.json()["changed"]]
    assert len(told) == len({*told}) == 60


NOTHING: Final[dict[str, Callable[[Person, int], Any]]] = {
    "a task that is not there": lambda alice, _: problem(
        alice.http.patch("/api/tasks/9007199254740991", json={"title": "x"}), 404
    ),
    "deleting one that is not there": lambda alice, _: problem(
        alice.http.delete("/api/tasks/9007199254740991"), 404
    ),
    "completing one that is not there": lambda alice, _: problem(
        alice.http.patch("/api/tasks/9007199254740991/complete"), 404
    ),
    "a task that has changed": lambda alice, task: problem(
        alice.http.patch(f"/api/tasks/{task}", json={"title": "x"}, headers={"If-Match": '"9"'}),
        412,
    ),
    "deleting one that has changed": lambda alice, task: problem(
        alice.http.delete(f"/api/tasks/{task}", headers={"If-Match": '"9"'}), 412
    ),
    "completing one that has changed": lambda alice, task: problem(
        alice.http.patch(f"/api/tasks/{task}/complete", headers={"If-Match": '"9"'}), 412
    ),
    "a version that it has no more": lambda alice, task: problem(
        alice.http.put(f"/api/tasks/{task}", json={"title": "x", "version": 9}), 412
    ),
    "a change of nothing": lambda alice, task: alice.http.patch(f"/api/tasks/{task}", json={}),
    "the title that it has": lambda alice, task: alice.http.patch(
        f"/api/tasks/{task}", json={"title": "Buy milk"}
    ),
    "as it was read": lambda alice, task: alice.http.put(
        f"/api/tasks/{task}", json=alice.sees(task)
    ),
    "completed as it is": lambda alice, task: alice.http.patch(
        f"/api/tasks/{task}/complete", json={"completed": False}
    ),
    "clearing what is completed where nothing is": lambda alice, _: alice.http.delete(
        "/api/tasks?completed=true"
    ),
    "input that is refused": lambda alice, _: problem(
        alice.http.post("/api/tasks", json={"title": " "}), 422
    ),
    "a change that breaks a rule": lambda alice, task: problem(
        alice.http.patch(f"/api/tasks/{task}", json={"due_time": "09:30"}), 422
    ),
    "several of which one is refused": lambda alice, _: problem(
        alice.http.post("/api/tasks/bulk", json=[{"title": "x"}, {"title": ""}]), 422
    ),
    "a uid that is there": lambda alice, _: alice.http.post(
        "/api/tasks", json={"title": "x", "uid": UID}
    ),
    "uids that are there": lambda alice, _: alice.http.post(
        "/api/tasks/bulk", json=[{"title": "x", "uid": UID}] * 2
    ),
    "a key that was used": lambda alice, _: alice.http.post(
        "/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "one"}
    ),
    "reading": lambda alice, task: alice.sees(task),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_changes_nothing_moves_nothing(alice: Person, name: str) -> None:
    task = alice.creates("Buy milk")["id"]
    alice.creates("Made offline", uid=UID)
    alice.http.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "one"})
    phone = Device(alice)
    phone.syncs()
    token = phone.token
    NOTHING[name](alice, task)
    assert phone.syncs() == []
    assert phone.token == token
    alice.creates()  # the control
    assert len(phone.syncs()) == 1
    assert phone.token != token


def test_of_a_deleted_task_no_text_is_left(alice: Person, as_superuser: psycopg.Connection) -> None:
    task = alice.creates("A secret", description="Another", uid=UID)
    alice.http.delete(f"/api/tasks/{task['id']}")
    kept = as_superuser.execute(
        "select to_jsonb(it) - 'deleted_at' from task_tombstone it where user_id = %s", [alice.id]
    ).fetchall()
    assert kept == [({"user_id": alice.id, "task_id": task["id"], "uid": UID, "seq": 2},)]


def test_a_task_that_an_operator_puts_back_is_there_again(
    alice: Person, as_superuser: psycopg.Connection
) -> None:
    task = alice.creates("Buy milk")["id"]
    phone = Device(alice)
    phone.syncs()
    alice.http.delete(f"/api/tasks/{task}")
    as_superuser.execute(
        "insert into task (user_id, id, title) overriding system value values (%s, %s, 'Back')",
        [alice.id, task],
    )
    assert phone.syncs() == [(task, 1)]
    assert phone.is_in_step()
    assert alice.http.delete(f"/api/tasks/{task}").status_code == 204
    assert phone.syncs() == [task]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "since=", "since=x", "sinse=x", "since=a&since=b"]
)
def test_what_is_no_question_is_refused(alice: Person, query: str) -> None:
    problem(alice.http.get(f"{CHANGES}?{query}"), 400 if query in ("since=", "since=x") else 422)


def happens(alice: Person, what: str, nth: int) -> None:
    tasks = alice.lists(sort="created_at")
    address = f"/api/tasks/{tasks[nth % len(tasks)]['id']}" if tasks else "/api/tasks/1"
    match what:
        case "create":
            alice.creates()
        case "several":
            alice.http.post("/api/tasks/bulk", json=[{"title": f"{n}"} for n in range(3)])
        case "retitle":
            alice.http.patch(address, json={"title": f"Title {nth}"})
        case "complete":
            alice.http.patch(f"{address}/complete")
        case "delete":
            alice.http.delete(address)
        case "clear":
            alice.http.delete("/api/tasks?completed=true")


@settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(["create", "several", "retitle", "complete", "delete", "clear"]),
                st.integers(0, 6),
            ),
            st.tuples(st.just("sync"), st.integers(1, 4)),
        ),
        min_size=4,
        max_size=25,
    )
)
def test_between_syncs_each_change_is_told_exactly_once(server: str, steps: list[Change]) -> None:
    with People(server) as people:
        alice = people.person("alice")
        phone = Device(alice)
        for what, number in [*steps, ("sync", 2)]:
            if what == "sync":
                phone.syncs(limit=number)
                assert phone.is_in_step()
            else:
                happens(alice, what, number)
        assert len(phone.told) == len({*phone.told}), "something was told twice"
