"""One URL, read by libpq and by asyncpg alike."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.database.connector import CannotConnect, Connector
from tests.cluster import Cluster, TaskDatabase
from tests.people import SECRET
from tests.program import run, running

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
    with pytest.raises(CannotConnect, match="TargetServerAttributeNotMatched"):
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


HERE = "postgresql://task_app:hush-hush@127.0.0.1:1/tasks"
TLS = f"{HERE}?sslmode=require"


@pytest.mark.parametrize(
    ("url", "environment", "said"),
    [
        (f"{HERE}?sslmode=rubbish", {}, "`sslmode` parameter must be one of"),
        (HERE, {"PGSSLMODE": "rubbish"}, "`sslmode` parameter must be one of"),
        (HERE, {"PGSSLMINPROTOCOLVERSION": "rubbish"}, "No such TLS version"),
        (f"{HERE}?sslmode=verify-full", {"HOME": "/nonexistent"}, "root.crt"),
        (HERE, {"HOME": f"/{'x' * 300}"}, "is HOME a folder that can be entered?"),
        (f"{TLS}&sslcert=/nonexistent", {}, "sslcert: /nonexistent cannot be read: No such file"),
        (f"{TLS}&sslcrl=/", {}, "sslcrl: / cannot be read: Is a directory"),
        (TLS, {"PGSSLROOTCERT": "/nonexistent"}, "sslrootcert: /nonexistent cannot be read"),
        (f"{TLS}&sslrootcert={__file__}", {}, "TLS failed: NO_CERTIFICATE"),
        (f"{HERE}?sslrootcert=system&sslcert=/nonexistent", {}, "sslcert: /nonexistent"),
        (f"{HERE}?sslrootcert=system&sslcert={__file__}&sslpassword=hush-hush", {}, "TLS failed"),
        (TLS, {"SSLKEYLOGFILE": "/nonexistent/log"}, "SSLKEYLOGFILE cannot be written"),
        (f"{HERE}?target_session_attrs=rubbish", {}, "got 'rubbish'"),
        ("postgresql://o:hush-hush@/d?host=a,b,c&port=1,2", {}, "could not match 2 port numbers"),
        ("postgresql://o:hush-hush@a..b/d", {}, "cannot be read (UnicodeError)"),
        ("postgresql://o@/d", {"PGHOST": "a,,c"}, "cannot be read (IndexError)"),
        ("postgresql://o:x@/d", {"PGHOST": "127.0.0.1", "PGPORT": "99999"}, "(OverflowError)"),
        ("postgresql://o:x@/d", {"PGHOST": "[::1"}, "invalid IPv6 address"),
        ("postgresql://o:x@/d", {"PGHOST": "h", "PGPORT": "hush-hush"}, "(ValueError)"),
        (f"{HERE}?service=x", {"PGSERVICEFILE": __file__}, "cannot be read (MissingSection"),
        (HERE, {}, "ConnectionRefusedError: Connect call failed"),
    ],
)
async def test_what_the_driver_says_of_the_url_is_one_line_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotConnect) as refusal:
        await Connector(url)(5)
    assert said in str(refusal.value)
    assert str(refusal.value).isprintable()
    assert "hush-hush" not in str(refusal.value)


async def test_a_password_file_that_is_not_read_is_noticed_by_doctor(
    own_database: TaskDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:hush-hush")
    file.chmod(0o644)
    settings = {"DATABASE_URL": own_database.task_app, "PGPASSFILE": str(file)}
    outcome = run("doctor", **settings, BETTER_AUTH_SECRET=SECRET)
    assert "group or world access" in outcome.out
    assert outcome.err == ""
    with running("serve", "--port", "0", **settings, BETTER_AUTH_SECRET=SECRET) as serve:
        serve.says("serving on")
        assert all(line.startswith("{") for line in serve.err.splitlines())
