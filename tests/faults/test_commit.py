"""The connection breaks at the commit, when nobody knows whether it was done."""

from collections.abc import Iterator

import httpx2
import psycopg
import pytest

from api.settings import Settings
from tests.faults.cluster import Postgres
from tests.faults.crowd import is_asked_to_come_back
from tests.faults.wire import Cut, Wire
from tests.people import SECRET, Person

KEY = {"Idempotency-Key": '"at-the-commit"'}
cut_somewhere = pytest.mark.parametrize("when", Cut, ids=lambda when: when.name.lower())


@pytest.fixture
def settings(to_postgres: Wire) -> Settings:
    return Settings(database_url=to_postgres.task_app, better_auth_secret=SECRET)


@pytest.fixture
def superuser(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.database.superuser, autocommit=True) as connection:
        yield connection


def titles(superuser: psycopg.Connection, person: Person) -> list[str]:
    """What was really written, as the superuser sees it once nobody is at it any more."""
    rows = superuser.execute(
        "select title from task where user_id = %s order by id", [person.id]
    ).fetchall()
    return [title for (title,) in rows]


def writes(person: Person, **headers: str) -> httpx2.Response:
    return person.http.post("/api/tasks", json={"title": "Buy milk"}, headers=headers)


def settle(superuser: psycopg.Connection) -> None:
    """Wait for what the broken connection has left behind."""
    superuser.execute("begin; lock table task in share row exclusive mode; commit")


@cut_somewhere
def test_a_read_is_done_again(to_postgres: Wire, alice: Person, when: Cut) -> None:
    task = alice.creates()
    for path, expected in (("/api/tasks", [task]), (f"/api/tasks/{task['id']}", task)):
        to_postgres.cuts(when)
        response = alice.http.get(path)
        assert to_postgres.is_whole
        assert (response.status_code, response.json()) == (200, expected)
        assert to_postgres.commits == 2


def test_a_write_that_may_have_been_committed_is_not_done_again(
    to_postgres: Wire, alice: Person, superuser: psycopg.Connection
) -> None:
    to_postgres.cuts(Cut.AFTER)
    is_asked_to_come_back(writes(alice))
    assert to_postgres.is_whole
    assert titles(superuser, alice) == ["Buy milk"]
    assert to_postgres.commits == 1


def test_a_write_whose_commit_was_on_its_way_is_done_once_at_most(
    to_postgres: Wire, alice: Person, superuser: psycopg.Connection
) -> None:
    for _ in range(5):
        before = len(titles(superuser, alice))
        to_postgres.cuts(Cut.MEANWHILE)
        is_asked_to_come_back(writes(alice))
        assert to_postgres.is_whole
        assert to_postgres.commits == 1
        settle(superuser)
        assert len(titles(superuser, alice)) - before in (0, 1)


def test_a_write_whose_commit_never_arrived_is_done_once_or_not_at_all(
    to_postgres: Wire, alice: Person, superuser: psycopg.Connection
) -> None:
    to_postgres.cuts(Cut.BEFORE)
    response = writes(alice)
    assert to_postgres.is_whole
    settle(superuser)
    if response.status_code == 201:
        assert titles(superuser, alice) == ["Buy milk"]
    else:
        is_asked_to_come_back(response)
        assert titles(superuser, alice) == []


def test_a_toggle_is_not_toggled_back(to_postgres: Wire, alice: Person) -> None:
    task = alice.creates()
    to_postgres.cuts(Cut.AFTER)
    is_asked_to_come_back(alice.http.patch(f"/api/tasks/{task['id']}/complete"))
    assert [task["completed"] for task in alice.lists()] == [True]


def test_a_deletion_is_503_and_was_done(to_postgres: Wire, alice: Person) -> None:
    task = alice.creates()
    to_postgres.cuts(Cut.AFTER)
    is_asked_to_come_back(alice.http.delete(f"/api/tasks/{task['id']}"))
    assert alice.lists() == []


@cut_somewhere
def test_with_a_key_it_is_sent_again_and_done_once(
    to_postgres: Wire, alice: Person, superuser: psycopg.Connection, when: Cut
) -> None:
    to_postgres.cuts(when)
    first = writes(alice, **KEY)
    assert to_postgres.is_whole
    settle(superuser)
    again = writes(alice, **KEY)
    assert again.status_code == 201
    assert titles(superuser, alice) == ["Buy milk"]
    if when is Cut.AFTER:
        is_asked_to_come_back(first)
        assert again.headers["Idempotency-Replayed"] == "true"


def test_one_lost_commit_after_the_other_is_503_in_the_end(
    to_postgres: Wire, alice: Person
) -> None:
    task = alice.creates()
    to_postgres.cuts(*[Cut.AFTER] * 20)
    is_asked_to_come_back(alice.http.get("/api/tasks"))
    to_postgres.cuts()
    assert alice.lists() == [task]
