"""Whatever ends a request in the middle, the next one starts as nobody, in no transaction."""

import asyncio
import contextlib
import http.client
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from api.auth.authenticator import User
from api.database.errors import CommitInterrupted, DatabaseError
from api.database.pipeline import Call
from api.database.session import Database, Transaction
from api.main import TaskAPI, create_app
from api.settings import DatabaseSettings, Settings
from api.tasks import queries
from api.tasks.schemas import Sort, TaskCreate
from tests.cluster import TaskDatabase
from tests.people import SECRET, People, Person, signed
from tests.server import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(database: TaskDatabase) -> Settings:
    return Settings(database_url=database.task_app, better_auth_secret=SECRET, pool_size=1)


@contextlib.asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[TaskAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def creates_a_task(
    app: TaskAPI, user_id: str, title: str = "Buy milk"
) -> list[dict[str, Any]]:
    """One request, without a network in between, so that it can be cancelled at any step."""
    body = json.dumps({"title": title}).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/tasks",
        "raw_path": b"/api/tasks",
        "root_path": "",
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "headers": [
            (b"authorization", f"Bearer {signed({'sub': user_id})}".encode()),
            (b"content-type", b"application/json"),
        ],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def ended(request: asyncio.Task[list[dict[str, Any]]]) -> int | None:
    """The status with which it was answered; None when it had not begun."""
    try:
        sent = await request
    except asyncio.CancelledError:
        return None
    return int(sent[0]["status"])


async def next_borrower(app: TaskAPI) -> tuple[bool, str | None]:
    """Whether the pool's one connection is in a transaction, and whom it takes itself for."""
    database: Database = app.state.database
    pool = database._pool  # noqa: SLF001 - what no request can see
    connection = await pool.acquire()
    identity: str | None = await connection.fetchval("select current_setting('app.user_id', true)")
    in_transaction: bool = connection.is_in_transaction()
    pool.release(connection)
    return in_transaction, identity or None


@pytest.mark.evidence("interrupted-request")
async def test_a_request_cancelled_at_any_step_leaves_nothing_behind(settings: Settings) -> None:
    outcomes = set()
    async with started(settings) as app:
        for steps in range(61):
            request = asyncio.create_task(creates_a_task(app, "alice-cancelled"))
            for _ in range(steps):
                await asyncio.sleep(0)
            request.cancel()
            outcomes.add(await ended(request))
            assert await next_borrower(app) == (False, None), f"after {steps} steps"
    assert outcomes >= {None, 503}  # before it began, and in the middle


@pytest.mark.evidence("interrupted-request")
async def test_a_request_cancelled_at_any_moment_leaves_nothing_behind(
    settings: Settings,
) -> None:
    outcomes = set()
    async with started(settings) as app:
        for half_milliseconds in range(41):
            request = asyncio.create_task(creates_a_task(app, "alice-cancelled"))
            await asyncio.sleep(half_milliseconds / 2000)
            request.cancel()
            outcomes.add(await ended(request))
            assert await next_borrower(app) == (False, None), f"after {half_milliseconds / 2} ms"
    assert outcomes >= {503, 201}


async def test_who_is_told_that_nothing_was_done_finds_nothing_done(
    settings: Settings, superuser: psycopg.Connection
) -> None:
    """Whenever the request is cancelled: what is told is what is, or that nobody knows."""
    alice, told = "alice-in-doubt", Counter[tuple[int, bool]]()
    async with started(settings) as app:
        for number in range(2000):
            if told[201, False] == 5:  # who is cancelled so late is always answered
                break
            title = f"Buy milk {number}"
            request = asyncio.create_task(creates_a_task(app, alice, title))
            await asyncio.sleep(number / 10_000)
            request.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                start, end = await request
                detail = json.loads(end["body"]).get("detail", "")
                told[start["status"], is_in_doubt := "nobody knows" in detail] += 1
                assert ("Idempotency-Key" in detail) == is_in_doubt
                found = superuser.execute(
                    "select from task where user_id = %s and title = %s", [alice, title]
                ).rowcount
                superuser.rollback()
                assert is_in_doubt or found == (start["status"] == 201), f"{title}: {detail}"
    assert told[201, False]
    assert told[503, False]


# --- Whoever asks in a way that no route does today ---

SLOW = "lock table task in exclusive mode"  # nobody writes meanwhile
TASK = TaskCreate(title="Buy milk").model_dump()
LIST = queries.tasks(Sort.NEWEST, frozenset(), "top")
_numbers = itertools.count()


@pytest.fixture
async def door(database: TaskDatabase) -> AsyncIterator[Database]:
    async with Database.connect(
        DatabaseSettings(database_url=database.task_app, pool_size=1)
    ) as door:
        yield door


@pytest.fixture
def slowly(superuser: psycopg.Connection) -> Iterator[None]:
    """Writes wait for as long as the test takes, or until they are ended."""
    superuser.execute(SLOW)
    yield
    superuser.rollback()


async def in_time(tx: Transaction) -> None:
    await asyncio.wait_for(tx.row(queries.CREATE, **TASK), 0.1)


async def in_time_or_not(tx: Transaction) -> None:
    with contextlib.suppress(TimeoutError):
        await in_time(tx)


async def in_time_or_else(tx: Transaction) -> None:
    await in_time_or_not(tx)
    await tx.row(LIST, limit=10, offset=0)


async def in_time_or_later(tx: Transaction) -> None:
    await in_time_or_not(tx)
    await asyncio.sleep(0.1)


async def at_the_same_time(tx: Transaction) -> None:
    await asyncio.gather(tx.row(queries.CREATE, **TASK), tx.row(queries.CREATE, **TASK))


async def at_the_same_time_come_what_may(tx: Transaction) -> None:
    await asyncio.gather(
        tx.row(queries.CREATE, **TASK), tx.row(LIST, limit=10, offset=0), return_exceptions=True
    )


async def without_waiting(tx: Transaction) -> None:
    kept.append(asyncio.create_task(tx.row(queries.CREATE, **TASK)))
    await asyncio.sleep(0)


async def too_late(tx: Transaction) -> None:
    kept.append(asyncio.create_task(tx.row(queries.CREATE, **TASK)))


kept: list[asyncio.Task[Any]] = []
CARELESS = pytest.mark.parametrize(
    "asks",
    [
        in_time,
        in_time_or_not,
        in_time_or_else,
        in_time_or_later,
        at_the_same_time,
        at_the_same_time_come_what_may,
        without_waiting,
        too_late,
    ],
    ids=lambda asks: asks.__name__,
)


async def is_done(door: Database, alice: str, asks: Callable[[Transaction], Any]) -> bool:
    """Whether it was taken for done."""
    try:
        await door.run(User(alice), asks, reads=False)
    except (DatabaseError, TimeoutError):
        return False
    return True


async def what_was_kept() -> None:
    await asyncio.gather(*kept, return_exceptions=True)
    kept.clear()


async def is_bob_and_alone(tx: Transaction, alice: str) -> None:
    """The database takes him for himself, and what alice gave up is none of his."""
    page = await tx.row(LIST, limit=10, offset=0)
    assert page
    assert not page["lines"]
    ((row,),) = await tx._pipeline.run(  # noqa: SLF001
        Call("select current_setting('app.user_id', true) as who")
    )
    assert row["who"] == tx.user.id != alice


@pytest.mark.evidence("busy-connection")
@CARELESS
@pytest.mark.usefixtures("slowly")
async def test_bob_is_never_alice_and_commits_nothing_of_hers(
    door: Database, superuser: psycopg.Connection, asks: Callable[[Transaction], Awaitable[None]]
) -> None:
    alice, bob = (f"{name}-careless-{next(_numbers)}" for name in ("alice", "bob"))
    assert await is_done(door, alice, asks) == (asks is too_late)  # nothing was asked by then
    for _ in range(2):
        await door.run(User(bob), lambda tx: is_bob_and_alone(tx, alice), reads=False)
    superuser.rollback()  # whatever still waits goes on
    await what_was_kept()
    await door.run(User(bob), lambda tx: is_bob_and_alone(tx, alice), reads=False)
    found = superuser.execute("select from task where user_id = any (%s)", [[alice, bob]])
    assert found.rowcount == 0


@CARELESS
async def test_it_is_done_and_taken_for_done_or_neither(
    door: Database, superuser: psycopg.Connection, asks: Callable[[Transaction], Awaitable[None]]
) -> None:
    alice, bob = (f"{name}-quick-{next(_numbers)}" for name in ("alice", "bob"))
    done = await is_done(door, alice, asks)
    await what_was_kept()
    found = superuser.execute("select from task where user_id = %s", [alice])
    assert found.rowcount == (done and asks is not too_late)
    await door.run(User(bob), lambda tx: is_bob_and_alone(tx, alice), reads=False)


async def reads_twice(tx: Transaction) -> None:
    for _ in range(2):
        await tx.row(LIST, limit=10, offset=0)


async def writes_twice(tx: Transaction) -> None:
    for _ in range(2):
        await tx.row(queries.CREATE, **TASK)


@pytest.mark.evidence("busy-connection")
@pytest.mark.parametrize("work", [reads_twice, writes_twice], ids=["reads", "writes"])
async def test_whichever_step_is_cancelled_bob_is_next_and_nothing_is_half_done(
    door: Database, superuser: psycopg.Connection, work: Callable[[Transaction], Awaitable[None]]
) -> None:
    outcomes = set()
    for steps in range(2000):
        if None in outcomes and steps > 80:
            break
        alice, bob = f"alice-step-{next(_numbers)}", f"bob-step-{next(_numbers)}"
        task = asyncio.create_task(door.run(User(alice), work, reads=work is reads_twice))
        for _ in range(steps):
            await asyncio.sleep(0.0001)
        task.cancel()
        outcome: type[BaseException] | None = None
        try:
            await task
        except asyncio.CancelledError as error:
            outcome = type(error)
        outcomes.add(outcome)

        async def asks(tx: Transaction, alice: str = alice) -> None:
            await is_bob_and_alone(tx, alice)

        await door.run(User(bob), asks, reads=False)
        found = superuser.execute("select from task where user_id = %s", [alice]).rowcount
        superuser.rollback()
        all_of_it = 0 if work is reads_twice else 2
        allowed: dict[type[BaseException] | None, set[int]]
        allowed = {None: {all_of_it}, asyncio.CancelledError: {0}, CommitInterrupted: {0, 2}}
        assert found in allowed[outcome], f"after {steps} steps"
    assert outcomes >= {asyncio.CancelledError, None}


@pytest.mark.evidence("busy-connection")
@pytest.mark.parametrize("reads", [False, True])
async def test_a_transaction_that_has_ended_answers_nobody(
    door: Database, superuser: psycopg.Connection, *, reads: bool
) -> None:
    alice, bob = (f"{name}-late-{next(_numbers)}" for name in ("alice", "bob"))

    async def ended() -> Transaction:
        async with door.transaction(User(alice), reads=reads) as tx:
            await tx.row(LIST, limit=10, offset=0)
        return tx

    # each of its own: one that has been refused answers nothing more, ended or not
    listing, creating, all_at_once = [await ended() for _ in range(3)]

    async def meanwhile(tx: Transaction) -> None:
        for late in (
            listing.row(LIST, limit=10, offset=0),
            creating.row(queries.CREATE, **TASK),
            all_at_once.each(queries.CREATE, [TASK]),
        ):
            with pytest.raises(DatabaseError):
                await late
        await is_bob_and_alone(tx, alice)

    await door.run(User(bob), meanwhile, reads=False)
    found = superuser.execute("select from task where user_id = any (%s)", [[alice, bob]])
    assert found.rowcount == 0


@pytest.fixture
def narrow_server(settings: Settings) -> Iterator[str]:
    """A server whose pool has one connection."""
    with serving(settings) as address:
        yield address


@pytest.fixture
def people(narrow_server: str) -> Iterator[People]:
    with People(narrow_server) as people:
        yield people


@pytest.fixture
def superuser(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.superuser) as connection:
        yield connection


def holds(connection: psycopg.Connection, task: dict[str, Any]) -> None:
    """Makes every write to the task wait."""
    connection.execute(
        "select 1 from task where user_id = %s and id = %s for update",
        [task["user_id"], task["id"]],
    )


def waiting(connection: psycopg.Connection, database: TaskDatabase) -> int:
    """The server process that waits for the held task, once it does."""
    for _ in range(200):
        row = connection.execute(
            "select pid from pg_stat_activity where usename = 'task_app'"
            " and datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
        if row:
            return int(row[0])
        connection.execute("select pg_stat_clear_snapshot()")
        time.sleep(0.02)
    raise AssertionError("nobody waits")


async def completes(person: Person, task: dict[str, Any]) -> httpx2.Response:
    return await asyncio.to_thread(
        person.http.patch, f"/api/tasks/{task['id']}/complete", json={"completed": True}
    )


@pytest.mark.evidence("interrupted-request")
async def test_a_backend_killed_in_the_middle_is_made_up_for_and_bob_is_served_next(
    alice: Person, bob: Person, superuser: psycopg.Connection, database: TaskDatabase
) -> None:
    task = alice.creates()
    holds(superuser, task)
    request = asyncio.create_task(completes(alice, task))
    pid = await asyncio.to_thread(waiting, superuser, database)
    superuser.execute("select pg_terminate_backend(%s)", [pid])
    superuser.rollback()
    assert (await request).json()["completed"] is True
    assert bob.lists() == []
    assert (alice.sees(task["id"]) or {})["completed"] is True


@pytest.mark.evidence("one-heavy-request")
async def test_a_statement_that_waits_too_long_is_503_and_bob_is_served_next(
    alice: Person, bob: Person, superuser: psycopg.Connection
) -> None:
    task = alice.creates()
    holds(superuser, task)
    answer = await completes(alice, task)  # task_app's lock_timeout ends it
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    superuser.rollback()
    assert bob.lists() == []
    assert alice.sees(task["id"]) == task


@pytest.mark.evidence("interrupted-request")
async def test_a_client_that_leaves_in_the_middle_takes_nothing_with_it(
    alice: Person,
    bob: Person,
    superuser: psycopg.Connection,
    database: TaskDatabase,
    narrow_server: str,
) -> None:
    task = alice.creates()
    holds(superuser, task)
    connection = http.client.HTTPConnection(urlsplit(narrow_server).netloc)
    connection.request(
        "PATCH",
        f"/api/tasks/{task['id']}/complete",
        body=b'{"completed": true}',
        headers={**alice.http.headers, "Content-Type": "application/json"},
    )
    await asyncio.to_thread(waiting, superuser, database)
    connection.close()
    superuser.rollback()
    assert bob.lists() == []
    assert [task["user_id"] for task in alice.lists()] == [alice.id]


@pytest.mark.evidence("last-identity")
async def test_a_thousand_interleaved_requests_of_two_people_never_cross(
    settings: Settings,
) -> None:
    with serving(settings.model_copy(update={"pool_size": 2})) as address:
        limits = httpx2.Limits(max_connections=20)
        async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=60) as http:

            async def asks(number: int) -> None:
                name = ("alice-interleaved", "bob-interleaved")[number % 2]
                headers = {"Authorization": f"Bearer {signed({'sub': name})}"}
                if number % 10 < 2:
                    answer = await http.post("/api/tasks", json={"title": name}, headers=headers)
                    tasks = [answer.json()]
                else:
                    answer = await http.get("/api/tasks?limit=50", headers=headers)
                    tasks = answer.json()
                assert answer.is_success, answer.text
                assert {task["user_id"] for task in tasks} <= {name}
                assert {task["title"] for task in tasks} <= {name}

            await asyncio.gather(*map(asks, range(1000)))
