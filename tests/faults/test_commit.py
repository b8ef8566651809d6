"""The connection breaks at the commit, when nobody knows whether it was done."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import psycopg
import pytest

from api.auth.authenticator import User
from api.database.errors import DatabaseUnavailable
from api.database.pipeline import Call
from api.database.session import Database, Transaction
from api.settings import Settings
from api.tasks import queries
from api.tasks.schemas import TaskCreate
from tests.faults.cluster import Postgres
from tests.faults.crowd import is_asked_to_come_back
from tests.faults.wire import Cut, Wire
from tests.locks import held
from tests.people import SECRET, People, Person
from tests.server import serving

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


def is_in_doubt(response: httpx2.Response) -> bool:
    """Whether it says that nobody knows, and what to do then."""
    detail = response.json()["detail"]
    assert ("nobody knows" in detail) == ("Idempotency-Key" in detail)
    return "nobody knows" in detail


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
    response = writes(alice)
    is_asked_to_come_back(response)
    assert is_in_doubt(response)
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


@pytest.fixture
def impatient(settings: Settings) -> Iterator[People]:
    hasty = settings.model_copy(update={"request_timeout": 0.5})
    with serving(hasty) as address, People(address) as people:
        yield people


def test_a_commit_that_takes_too_long_is_in_doubt(
    to_postgres: Wire, impatient: People, superuser: psycopg.Connection
) -> None:
    alice = impatient.person("alice")
    alice.lists()  # connected
    to_postgres.holds()
    response = writes(alice, **KEY)
    is_asked_to_come_back(response)
    assert is_in_doubt(response)
    assert to_postgres.commits == 1
    settle(superuser)
    assert titles(superuser, alice) == ["Buy milk"]
    again = writes(alice, **KEY)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert titles(superuser, alice) == ["Buy milk"]


def test_a_statement_that_takes_too_long_is_not_in_doubt(
    postgres: Postgres, impatient: People, superuser: psycopg.Connection
) -> None:
    alice = impatient.person("alice")
    with held(postgres.database.superuser, "lock table task in exclusive mode"):
        response = writes(alice, **KEY)
    is_asked_to_come_back(response)
    assert not is_in_doubt(response)
    settle(superuser)
    assert titles(superuser, alice) == []


def test_a_commit_that_a_shutdown_interrupts_is_in_doubt(
    to_postgres: Wire, settings: Settings, superuser: psycopg.Connection
) -> None:
    stopping = settings.model_copy(update={"shutdown_timeout": 1})
    with ThreadPoolExecutor(1) as elsewhere, contextlib.ExitStack() as until_answered:
        with serving(stopping) as address:
            alice = until_answered.enter_context(People(address)).person("alice")
            alice.lists()  # connected
            to_postgres.holds()
            asking = elsewhere.submit(writes, alice)
            while not to_postgres.commits:
                time.sleep(0.01)
        response = asking.result()
    is_asked_to_come_back(response)
    assert is_in_doubt(response)
    assert response.headers["Connection"] == "close"
    settle(superuser)
    assert titles(superuser, alice) == ["Buy milk"]


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Database]:
    async with Database.connect(settings) as door:
        yield door


@pytest.mark.anyio
@pytest.mark.parametrize("times", [1, 2])
async def test_a_connection_that_is_found_closed_before_the_commit_is_not_in_doubt(
    door: Database, superuser: psycopg.Connection, times: int
) -> None:
    attempts = 0

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        await tx.row(queries.CREATE, **TaskCreate(title="Buy milk").model_dump())
        attempts += 1
        if attempts <= times:
            pipeline = tx._pipeline  # noqa: SLF001
            ((row,),) = await pipeline.run(Call("select pg_backend_pid() as pid"))
            superuser.execute("select pg_terminate_backend(%s)", [row["pid"]])
            for _ in range(500):
                if pipeline._transport.is_closing():  # noqa: SLF001
                    break
                await asyncio.sleep(0.01)

    user = f"alice-closed-{times}"
    if times == 1:  # it is tried again, once
        await door.run(User(user), work, reads=False)
    else:
        with pytest.raises(DatabaseUnavailable) as failure:
            await door.run(User(user), work, reads=False)
        assert not failure.value.in_doubt
    assert attempts == 2
    found = superuser.execute("select title from task where user_id = %s", [user]).fetchall()
    assert found == [("Buy milk",)] * (2 - times)
