"""Whatever ends a request in the middle, the next one starts as nobody, in no transaction."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from api.db import Database
from api.main import TaskAPI, create_app
from api.settings import Settings
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


async def creates_a_task(app: TaskAPI, user_id: str) -> list[dict[str, Any]]:
    """One request, without a network in between, so that it can be cancelled at any step."""
    body = b'{"title": "Buy milk"}'
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
