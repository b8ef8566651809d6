"""How long a deletion is told: `task-api sweep` forgets it, and who asks later starts afresh."""

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest

from tests.cluster import TaskDatabase
from tests.locks import held
from tests.people import People, Person
from tests.problems import problem
from tests.program import run
from tests.server import people_of
from tests.sync.device import Device

UID: Final = "7d1f3a52-c3a4-4a0e-9b8d-0a3f5f6c2b11"


@pytest.fixture
def people(own_database: TaskDatabase) -> Iterator[People]:
    with people_of(own_database) as people:
        yield people


@pytest.fixture
def superuser(own_database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        yield connection


def ages(superuser: psycopg.Connection, person: Person, days: int) -> None:
    superuser.execute(
        "update task_tombstone set deleted_at = deleted_at - make_interval(days => %s, secs => 1)"
        " where user_id = %s",
        [days, person.id],
    )


def sweeps(database: TaskDatabase, **settings: str) -> str:
    outcome = run("sweep", MIGRATION_DATABASE_URL=database.owner, **settings)
    assert outcome.code == 0, outcome
    return outcome.out


def deletes(person: Person) -> int:
    task: int = person.creates()["id"]
    assert person.http.delete(f"/api/tasks/{task}").status_code == 204
    return task


def test_who_asks_after_a_deletion_was_forgotten_fetches_afresh(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice, bob = people.person("alice"), people.person("bob")
    old, hers, his = Device(alice), Device(alice), Device(bob)
    for device in (old, his):
        device.syncs()
    deletes(alice)
    hers.syncs()
    for person in (alice, bob):
        deletes(person)
    ages(superuser, alice, 30)
    last = deletes(alice)
    assert sweeps(own_database) == "swept 2\n"
    problem(old.asks(), 410, "sync-token-expired")
    problem(hers.asks(), 410, "sync-token-expired")
    assert len(his.syncs()) == 1
    # who knows what was forgotten goes on
    tablet = Device(alice)
    assert tablet.syncs() == []
    another = deletes(alice)
    assert tablet.syncs() == [another]
    assert sweeps(own_database) == "swept 0\n"
    kept = "select array_agg(task_id order by seq) from task_tombstone where user_id = %s"
    assert superuser.execute(kept, [alice.id]).fetchone() == ([last, another],)


def test_who_knows_the_last_that_was_forgotten_is_told_what_came_after(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice = people.person("alice")
    deletes(alice)
    phone = Device(alice)
    phone.syncs()
    ages(superuser, alice, 30)
    after = deletes(alice)
    assert sweeps(own_database) == "swept 1\n"
    assert phone.syncs() == [after]


@pytest.mark.parametrize("inside", ["what was deleted", "a full listing"])
def test_a_page_that_was_begun_expires_too(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People, inside: str
) -> None:
    alice = people.person("alice")
    phone = Device(alice)
    tasks = [alice.creates(completed=True)["id"] for _ in range(3)]
    if inside == "what was deleted":
        phone.syncs()
    else:
        assert phone.turns(limit=1)
    assert alice.http.delete("/api/tasks?completed=true").json() == {"deleted": len(tasks)}
    if inside == "what was deleted":
        assert phone.turns(limit=1)
    ages(superuser, alice, 30)
    assert sweeps(own_database) == "swept 3\n"
    problem(phone.asks(), 410, "sync-token-expired")


def test_a_full_listing_that_begins_after_it_goes_on(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice = people.person("alice")
    for _ in range(3):
        alice.creates()
    deletes(alice)
    ages(superuser, alice, 30)
    assert sweeps(own_database) == "swept 1\n"
    phone = Device(alice)
    assert len(phone.syncs(limit=1)) == 3
    assert phone.is_in_step()


@pytest.mark.parametrize(("days", "swept"), [(29, 0), (30, 0), (39, 0), (40, 1)])
def test_an_operator_keeps_them_for_longer(
    own_database: TaskDatabase,
    superuser: psycopg.Connection,
    people: People,
    days: int,
    swept: int,
) -> None:
    alice = people.person("alice")
    deletes(alice)
    ages(superuser, alice, days)
    assert sweeps(own_database, SYNC_RETENTION="40") == f"swept {swept}\n"


@pytest.mark.parametrize("days", ["29", "0", "-1", "x", "3651"])
def test_but_never_for_less_than_a_month(own_database: TaskDatabase, days: str) -> None:
    outcome = run("sweep", MIGRATION_DATABASE_URL=own_database.owner, SYNC_RETENTION=days)
    assert "SYNC_RETENTION" in outcome.refusal()


def test_without_its_floor_nothing_is_forgotten(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice = people.person("alice")
    deletes(alice)
    ages(superuser, alice, 30)
    left = "select floor, (select count(*) from task_tombstone) from sync_head"
    for lock in ("select from sync_head for update", "select from task_tombstone for update"):
        with held(own_database.superuser, lock):
            outcome = run("sweep", MIGRATION_DATABASE_URL=own_database.owner)
            assert "another transaction holds" in outcome.refusal()
        assert superuser.execute(left).fetchone() == (0, 1)
    assert sweeps(own_database) == "swept 1\n"
    assert superuser.execute(left).fetchone() == (2, 0)


def test_once_it_is_forgotten_a_uid_is_free(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice = people.person("alice")
    task = alice.creates(uid=UID)["id"]
    alice.http.delete(f"/api/tasks/{task}")
    again = {"title": "Again", "uid": UID}
    problem(alice.http.post("/api/tasks", json=again), 409, "was-deleted")
    ages(superuser, alice, 30)
    sweeps(own_database)
    assert alice.http.post("/api/tasks", json=again).status_code == 201


def test_after_a_reset_too_numbers_never_go_back(
    own_database: TaskDatabase, superuser: psycopg.Connection, people: People
) -> None:
    alice = people.person("alice")
    deletes(alice)
    run("sync", "reset", MIGRATION_DATABASE_URL=own_database.owner)
    ages(superuser, alice, 30)
    assert sweeps(own_database) == "swept 1\n"
    phone = Device(alice)
    phone.syncs()
    task = deletes(alice)
    assert phone.syncs() == [task]
