"""A PgBouncer in transaction mode: what becomes of prepared statements, and of who is asking."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest

from api.database.connector import Connector
from api.database.pipeline import Connection
from api.settings import Settings
from tests.cluster import Cluster, TaskDatabase
from tests.commands.test_serve import asks
from tests.people import SECRET, People, signed
from tests.pgbouncer import pgbouncer, version
from tests.program import running
from tests.server import serving

Pooled = Callable[..., contextlib.AbstractContextManager[str]]

SERVERS = 2  # connections from the pooler to PostgreSQL
PATIENCE = 5  # seconds to connect


@pytest.fixture(scope="module")
def database(own_cluster: Cluster) -> Iterator[TaskDatabase]:
    """Nobody else connects to it."""
    with own_cluster.database() as database:
        yield database


@pytest.fixture
def pooled(own_cluster: Cluster, database: TaskDatabase) -> Pooled:
    """The URL of task_app through a pooler with these settings, as long as a block lasts."""

    @contextlib.contextmanager
    def through(**settings: object) -> Iterator[str]:
        with pgbouncer(own_cluster.superuser, default_pool_size=SERVERS, **settings) as url:
            yield Cluster(own_cluster.superuser, url).url("task_app", name_of(database))

    return through


@pytest.fixture
def knowing(pooled: Pooled) -> Iterator[str]:
    """Through a pooler that keeps account of prepared statements, as Neon's does."""
    if version() < (1, 21):
        pytest.skip("PgBouncer keeps account of prepared statements from 1.21 on")
    with pooled(max_prepared_statements=100) as url:
        yield url


@pytest.fixture
def ignorant(pooled: Pooled) -> Iterator[str]:
    """Through a pooler that keeps no account of them."""
    settings = {"max_prepared_statements": 0} if version() >= (1, 21) else {}
    with pooled(**settings) as url:
        yield url


@pytest.fixture(params=["knowing", "ignorant"])
def either(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def name_of(database: TaskDatabase) -> str:
    return urlsplit(database.superuser).path[1:]


async def kept(connection: Connection) -> set[str]:
    """The first letters of the names of the statements that this connection has prepared."""
    rows = await connection.pipeline.read(
        "select name from pg_prepared_statements where name <> 'task_api_probe'"
    )
    return {row["name"][:5] for row in rows}


@contextlib.asynccontextmanager
async def opened(connector: Connector) -> AsyncIterator[Connection]:
    connection = await connector(PATIENCE)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_without_a_pooler_statements_are_kept(database: TaskDatabase) -> None:
    async with opened(Connector(database.direct)) as connection:
        assert await kept(connection) == {"task_"}


@pytest.mark.anyio
async def test_with_one_that_keeps_account_they_are_kept(knowing: str) -> None:
    async with opened(Connector(knowing)) as connection:
        assert await kept(connection) == {"PGBOU"}


@pytest.mark.anyio
async def test_with_one_that_does_not_they_have_no_names(ignorant: str) -> None:
    connector = Connector(ignorant)
    for _ in range(SERVERS + 1):
        async with opened(connector) as connection:
            assert await kept(connection) == set()


@pytest.mark.anyio
async def test_many_can_find_that_out_at_once(either: str) -> None:
    connector = Connector(either)
    connections = await asyncio.gather(*(connector(PATIENCE) for _ in range(20)))
    found = [await kept(connection) for connection in connections]
    await asyncio.gather(*(connection.close() for connection in connections))
    assert all(names == found[0] for names in found)


@pytest.mark.anyio
async def test_it_is_found_out_anew_when_another_pooler_stands_there(
    database: TaskDatabase, ignorant: str, tmp_path: Path
) -> None:
    connector = Connector(urlsplit(database.direct)._replace(query=f"host={tmp_path}").geturl())

    async def at(url: str) -> set[str]:
        address = tmp_path / ".s.PGSQL.5432"
        address.unlink(missing_ok=True)
        address.symlink_to(socket_of(url))
        async with opened(connector) as connection:
            return await kept(connection)

    assert await at(database.direct) == {"task_"}
    assert connector.keeps_statements
    assert await at(ignorant) == set()
    assert not connector.keeps_statements
    await at(database.direct)  # this one is only slower than it could be
    assert connector.keeps_statements
    assert await at(database.direct) == {"task_"}


def socket_of(url: str) -> Path:
    query = parse_qs(urlsplit(url).query)
    return Path(query["host"][0]) / f".s.PGSQL.{query.get('port', ['5432'])[0]}"


@pytest.mark.anyio
async def test_people_who_share_server_connections_see_only_their_own(
    either: str, database: TaskDatabase
) -> None:
    patient = Settings(database_url=either, better_auth_secret=SECRET, pool_timeout=30)
    with serving(patient) as address:
        people = People(address)
        everybody = [people.person("alice"), people.person("bob")]
        for person in everybody:
            for number in range(5):
                person.creates(f"{person.id} {number}")
        async with httpx2.AsyncClient(base_url=address, timeout=20) as http:

            async def lists(user: str) -> None:
                header = {"Authorization": f"Bearer {signed({'sub': user})}"}
                answer = await http.get("/api/tasks", headers=header)
                assert answer.status_code == 200, answer.text
                assert [task["title"] for task in answer.json()] == [
                    f"{user} {number}" for number in (4, 3, 2, 1, 0)
                ]

            async def changes(user: str, number: int) -> None:
                header = {"Authorization": f"Bearer {signed({'sub': f'{user}-too'})}"}
                made = await http.post("/api/tasks", headers=header, json={"title": user})
                assert made.status_code == 201, made.text
                path = made.headers["Location"]
                done = await http.patch(path, headers=header, json={"title": f"{user} {number}"})
                assert done.json()["title"] == f"{user} {number}"
                assert (await http.delete(path, headers=header)).status_code == 204

            await asyncio.gather(
                *(lists(person.id) for _ in range(100) for person in everybody),
                *(changes(person.id, number) for number in range(20) for person in everybody),
            )
        people.leave()
        with psycopg.connect(database.superuser) as superuser:
            shared = superuser.execute(
                "select count(*) from pg_stat_activity"
                " where usename = 'task_app' and datname = current_database()"
            ).fetchone()
        assert shared == (SERVERS,)


def test_serve_serves(either: str) -> None:
    settings = {"DATABASE_URL": either, "BETTER_AUTH_SECRET": SECRET}
    with running("serve", "--port", "0", **settings) as serve:
        assert asks(serve, "/readyz").status_code == 200
        assert asks(serve, "/api/tasks").json() == []
        assert "Traceback" not in serve.stops().err
