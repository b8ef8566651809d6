"""A uid, which a client gives to a task that it makes offline: it is made once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import Person
from tests.problems import problem
from tests.sync.device import Device

UID: Final = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"


def sends(alice: Person, **members: Any) -> httpx2.Response:
    return alice.http.post("/api/tasks", json={"title": "Buy milk", "uid": UID} | members)


def sends_several(alice: Person, *uids: str | None) -> httpx2.Response:
    body = [{"title": f"Task {n}", "uid": uid} for n, uid in enumerate(uids)]
    return alice.http.post("/api/tasks/bulk", json=body)


def test_sent_again_it_is_the_task_that_is_there(alice: Person) -> None:
    first = sends(alice)
    assert first.status_code == 201
    assert first.json()["uid"] == UID
    again = sends(alice, title="Another", completed=True)
    assert again.status_code == 200
    assert again.json() == first.json()
    for header in ("Location", "ETag"):
        assert again.headers[header] == first.headers[header]
    changed = alice.http.patch(first.headers["Location"], json={"title": "Changed"})
    assert sends(alice).json() == changed.json()
    assert sends(alice).headers["ETag"] == changed.headers["ETag"]
    assert len(alice.lists()) == 1


def test_in_any_case_it_is_the_same(alice: Person) -> None:
    made = sends(alice, uid=UID.upper()).json()
    assert made["uid"] == UID
    assert sends(alice).json() == sends(alice, uid=UID.upper()).json() == made


def test_without_one_there_is_none(alice: Person) -> None:
    assert alice.creates()["uid"] is None
    assert alice.creates(uid=None)["uid"] is None
    assert len(alice.lists()) == 2


@pytest.mark.parametrize(
    "uid",
    [
        "",
        "x",
        UID[:-1],
        UID + "0",
        UID.replace("-", ""),
        f"{{{UID}}}",
        f"urn:uuid:{UID}",
        7,
        UID.replace("7", "g"),
        f" {UID}",
        f"{UID}\n",
        UID.replace("7", "\u0667"),
    ],
)
def test_what_is_no_uuid_is_refused(alice: Person, uid: object) -> None:
    answer = alice.http.post("/api/tasks", json={"title": "x", "uid": uid})
    assert problem(answer, 422)["errors"][0]["pointer"] == "#/uid"
    answer = alice.http.post("/api/tasks/bulk", json=[{"title": "x"}, {"title": "x", "uid": uid}])
    assert problem(answer, 422)["errors"][0]["pointer"] == "#/1/uid"
    assert alice.lists() == []


def test_of_a_deleted_task_it_is_refused(alice: Person) -> None:
    alice.http.delete(sends(alice).headers["Location"])
    refused = problem(sends(alice), 409, "was-deleted")
    assert refused["errors"][0]["pointer"] == "#/uid"
    several = problem(sends_several(alice, None, UID), 409, "was-deleted")
    assert [error["pointer"] for error in several["errors"]] == ["#/1/uid"]
    assert alice.lists() == []
    other = sends(alice, uid=str(uuid4()), completed=True)
    assert other.status_code == 201
    alice.http.delete("/api/tasks?completed=true")
    problem(sends(alice, uid=other.json()["uid"]), 409, "was-deleted")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_it_never_changes(alice: Person, method: str) -> None:
    task = sends(alice).json()
    for uid in (None, str(uuid4())):
        answer = alice.http.request(method, f"/api/tasks/{task['id']}", json={"uid": uid})
        assert problem(answer, 422)["errors"][0]["pointer"] == "#/uid"
    assert alice.lists() == [task]
    answer = alice.http.request(method, f"/api/tasks/{task['id']}", json=task | {"title": "x"})
    assert (answer.status_code, answer.json()["uid"]) == (200, UID)
    assert alice.http.request(
        method, f"/api/tasks/{task['id']}", json={"uid": UID.upper()}
    ).is_success
    plain = alice.creates()["id"]
    answer = alice.http.request(method, f"/api/tasks/{plain}", json={"uid": UID})
    assert problem(answer, 422)["errors"][0]["pointer"] == "#/uid"


def test_several_have_the_one_that_is_there_in_its_place(alice: Person) -> None:
    there = sends(alice).json()
    one, two = str(uuid4()), str(uuid4())
    answer = sends_several(alice, None, UID, one, None, one, two)
    assert answer.status_code == 201
    made = answer.json()
    assert [task["uid"] for task in made] == [None, UID, one, None, one, two]
    assert made[1] == there
    assert made[4] == made[2]
    assert [task["title"] for task in made] == [
        "Task 0",
        "Buy milk",
        "Task 2",
        "Task 3",
        "Task 2",
        "Task 5",
    ]
    assert len(alice.lists()) == 5
    again = sends_several(alice, UID, two)
    assert (again.status_code, again.json()) == (201, [there, made[5]])
    assert len(alice.lists()) == 5


def test_what_follows_a_task_has_none(alice: Person) -> None:
    task = sends(alice, due_date="2999-01-01", repeat="FREQ=DAILY").json()
    done = alice.http.patch(f"/api/tasks/{task['id']}/complete").json()
    assert done["uid"] == UID
    assert alice.sees(done["next_id"])["uid"] is None  # type: ignore[index]


@pytest.mark.parametrize("several", [False, True])
def test_two_at_once_make_one_task(alice: Person, database: TaskDatabase, several: bool) -> None:
    phone = Device(alice)
    phone.syncs()

    def send() -> httpx2.Response:
        return sends_several(alice, UID) if several else sends(alice)

    with ThreadPoolExecutor(4) as pool:
        head = "select from sync_head where user_id = %s for update"
        with held(database.superuser, head, alice.id) as waiting:
            answers = [pool.submit(send) for _ in range(4)]
            waiting(4)
        found = [answer.result() for answer in answers]
    assert len({answer.text for answer in found}) == 1
    codes = sorted(answer.status_code for answer in found)
    assert codes == ([201] * 4 if several else [200, 200, 200, 201])
    assert len(alice.lists()) == 1
    assert len(phone.syncs()) == 1


def test_made_while_it_is_deleted_it_stays_deleted(alice: Person, database: TaskDatabase) -> None:
    task = sends(alice).headers["Location"]
    with ThreadPoolExecutor(2) as pool:
        head = "select from sync_head where user_id = %s for update"
        with held(database.superuser, head, alice.id) as waiting:
            gone = pool.submit(alice.http.delete, task)
            waiting(1)
            again = pool.submit(sends, alice)
            waiting(2)
        assert gone.result().status_code == 204
        problem(again.result(), 409, "was-deleted")
    assert alice.lists() == []
