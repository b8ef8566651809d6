"""The way to the database is encrypted, and leads to nobody else, for serve as for migrate."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
import pytest

from api.commands.migrate import MigrationError, migrate
from api.database.connector import Connector
from api.database.errors import DatabaseUnavailable
from api.database.session import Database
from api.settings import DatabaseSettings
from tests.cluster import TaskDatabase
from tests.commands.test_serve import asks
from tests.people import SECRET
from tests.program import run, running
from tests.tls import HOST, Secure, secure

pytestmark = pytest.mark.anyio

NEONS = "sslmode=require&channel_binding=require"
SYSTEM = ("sslrootcert=system", "sslmode=verify-full&sslrootcert=system")
TLS: LiteralString = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def server() -> Iterator[Secure]:
    with secure() as server:
        yield server


@pytest.fixture(scope="module")
def database(server: Secure) -> Iterator[TaskDatabase]:
    with server.cluster.database() as database:
        yield database


def verified(authority: object) -> str:
    return f"sslmode=verify-full&sslrootcert={quote(str(authority), safe='')}"


async def works(database: TaskDatabase, query: str) -> bool:
    """Whether owner and server connect over TLS; fails if they do not connect."""
    migrate(f"{database.owner}?{query}")
    with psycopg.connect(f"{database.owner}?{query}") as owner:
        encrypted = owner.execute(TLS).fetchone()
    connection = await Connector(f"{database.task_app}?{query}")(5)
    try:
        assert await connection.fetchrow(TLS) == encrypted
    finally:
        await connection.close()
    return encrypted == (True,)


async def refusals(database: TaskDatabase, query: str) -> tuple[str, str]:
    """Why server and owner do not connect, in a line each."""
    settings = DatabaseSettings(database_url=f"{database.task_app}?{query}")
    with pytest.raises(DatabaseUnavailable) as server:
        async with Database.connect(settings):
            pass
    with pytest.raises(MigrationError) as owner:
        migrate(f"{database.owner}?{query}")
    assert "\n" not in f"{server.value}{owner.value}"
    return str(server.value), str(owner.value)


async def test_a_server_somebody_trusted_vouches_for_is_used(
    server: Secure, database: TaskDatabase
) -> None:
    assert await works(database, verified(server.authority))


async def test_neons_url_works_as_neon_shows_it(database: TaskDatabase) -> None:
    assert await works(database, NEONS)


@pytest.mark.parametrize("query", SYSTEM)
async def test_the_authorities_of_the_system_can_be_meant(
    query: str, server: Secure, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in await refusals(database, query):
        assert "certificate" in line
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    assert await works(database, query)


async def test_who_another_authority_vouches_for_is_refused(
    server: Secure, database: TaskDatabase
) -> None:
    for line in await refusals(database, verified(server.other)):
        assert "certificate" in line


@pytest.mark.parametrize("system", [False, True])
async def test_a_certificate_for_another_host_is_refused(
    system: bool, server: Secure, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    urls = (database.superuser, database.owner, database.task_app)
    elsewhere = TaskDatabase(*(url.replace(f"@{HOST}:", "@127.0.0.1:") for url in urls))
    for line in await refusals(elsewhere, verified("system" if system else server.authority)):
        assert "certificate" in line
        assert "127.0.0.1" in line
    # for who looks at the authority alone it is good enough
    less = verified(server.authority).replace("verify-full", "verify-ca")
    assert await works(elsewhere, less)


async def test_a_server_that_speaks_plain_text_is_refused(
    server: Secure, database: TaskDatabase
) -> None:
    with server.in_plain_text():
        for query in (NEONS, verified(server.authority), *SYSTEM):
            for line in await refusals(database, query):
                assert "TLS" in line or "SSL" in line
        assert not await works(database, "sslmode=prefer")


async def test_a_file_that_is_not_there_is_missed(database: TaskDatabase) -> None:
    for line in await refusals(database, verified("/nowhere/root.crt")):
        assert "/nowhere/root.crt" in line


async def test_a_file_without_authorities_is_refused(
    database: TaskDatabase, tmp_path: Path
) -> None:
    nonsense = tmp_path / "root.crt"
    nonsense.write_text("no certificate")
    for line in await refusals(database, verified(nonsense)):
        assert "certificate" in line.lower()


def test_the_programs_do_the_same(server: Secure, database: TaskDatabase) -> None:
    def settings(query: str) -> dict[str, str]:
        return {
            "BETTER_AUTH_SECRET": SECRET,
            "DATABASE_URL": f"{database.task_app}?{query}",
            "MIGRATION_DATABASE_URL": f"{database.owner}?{query}",
        }

    good, bad = settings(verified(server.authority)), settings(verified(server.other))
    assert "certificate" in run("migrate", **bad).refusal()
    assert "certificate" in run("serve", "--port", "0", **bad).refusal()
    assert run("migrate", **good).code == 0
    with running("serve", "--port", "0", **good) as serve:
        assert asks(serve, "/readyz").status_code == 200
        assert asks(serve, "/api/tasks").json() == []


def test_where_the_systems_authorities_are_is_known(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "")  # to be put back in the end
        monkeypatch.delenv(name)
    systems = ssl.get_default_verify_paths()
    with pytest.raises(MigrationError, match="certificate"):
        migrate(f"{database.owner}?sslrootcert=system")
    assert os.environ.get("SSL_CERT_FILE") == systems.cafile
    assert os.environ.get("SSL_CERT_DIR") == systems.capath
