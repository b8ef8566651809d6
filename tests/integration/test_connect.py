"""One URL, read by libpq and by asyncpg alike."""

import asyncio
import socket
from collections.abc import Iterator

import asyncpg
import psycopg
import pytest

from api.connect import Connector
from tests.cluster import Cluster, TaskDatabase

pytestmark = pytest.mark.anyio

# What libpq alone knows, with what might be said.
LIBPQS = {
    "channel_binding": "prefer",
    "client_encoding": "LATIN1",
    "connect_timeout": "10",
    "fallback_application_name": "x",
    "gssdelegation": "0",
    "gssencmode": "disable",
    "keepalives": "1",
    "keepalives_count": "3",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "load_balance_hosts": "disable",
    "max_protocol_version": "3.0",
    "min_protocol_version": "3.0",
    "require_auth": "none,scram-sha-256",
    "sslcertmode": "disable",
    "sslcompression": "0",
    "sslsni": "1",
    "tcp_user_timeout": "10000",
}


@pytest.fixture
def own_database(own_cluster: Cluster) -> Iterator[TaskDatabase]:
    """At the socket of a server on this machine."""
    with own_cluster.database() as database:
        yield database


async def database_at(url: str) -> str:
    connection = await Connector(url)(5)
    try:
        return str(await connection.fetchval("select current_database()"))
    finally:
        await connection.close()


async def test_what_libpq_knows_alone_is_left_out(own_database: TaskDatabase) -> None:
    url = own_database.task_app + "".join(f"&{name}={value}" for name, value in LIBPQS.items())
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
    assert await database_at(url) == name


async def test_what_asyncpg_knows_too_is_not(own_database: TaskDatabase) -> None:
    url = f"{own_database.direct}&target_session_attrs=read-write"
    assert await database_at(url)
    with psycopg.connect(own_database.superuser, autocommit=True) as superuser:
        name = superuser.info.dbname
        superuser.execute(f"alter database {name} set default_transaction_read_only = on".encode())
    with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
        await database_at(url)


async def test_when_one_host_is_away_the_next_is_asked(own_database: TaskDatabase) -> None:
    url = own_database.task_app.replace("?host=", "?host=/nowhere,")
    url = url.replace("&port=", "&port=1,")
    assert await database_at(url)


async def test_nobody_waits_for_long_for_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await Connector(f"postgresql://task_app@127.0.0.1:{port}/tasks")(0.2)
        assert asyncio.get_running_loop().time() - begun < 2
