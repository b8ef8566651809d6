"""Fixtures for every test: the cluster, a migrated database, the server, and test users."""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import psycopg
import pytest

from api.database import errors
from api.settings import AuthSettings, MigrationSettings, Settings
from tests import wanted
from tests.cluster import Cluster, TaskDatabase
from tests.initialized import started
from tests.keyserver import Issuer, issuing
from tests.people import SECRET, People, Person
from tests.pgbouncer import pgbouncer
from tests.scratch import scratch
from tests.server import serving

# The files that take longest, half a minute and more: begun last, they would be waited for.
LONG: Final = {
    *("test_checks.py", "test_containers.py", "test_audit.py", "test_environment.py"),
    *("test_doctor.py", "test_migrate.py", "test_schemathesis.py", "test_make.py"),
    *("test_presets.py", "test_stopping.py", "test_foreign.py", "test_metrics.py"),
    *("test_waivers.py", "test_slow_clients.py", "test_timeouts.py", "test_hangup.py"),
    *("test_between_processes.py", "test_connections.py", "test_personal_data.py"),
}


def pytest_xdist_auto_num_workers() -> int:
    """Four more than there are cores: many tests wait for a process or for a timeout. Behind a
    pooler none more: in CI the page's tests, which take longer, run beside these."""
    return (os.cpu_count() or 1) + (0 if "TEST_POOLER" in os.environ else 4)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files first, where there are several at a time. Behind a pooler, what connects to no
    database is as without one."""
    if hasattr(config, "workerinput"):
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path.name not in LONG, -tests[item.path], item.path))
    if "TEST_POOLER" in os.environ:
        alone = {
            item
            for item in items
            if "cluster" not in getattr(item, "fixturenames", ()) and "pooler" not in item.nodeid
        }
        config.hook.pytest_deselected(items=[*alone])
        items[:] = [item for item in items if item not in alone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What to install, so that nothing is skipped for want of it."""
    skipped = [report.longrepr for report in terminalreporter.getreports("skipped")]
    if lines := wanted.advice(reason for _, _, reason in skipped):
        terminalreporter.section("install what these tests need, and run them again")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Nothing of the shell that started the suite reaches the program under test."""
    ours = {*Settings.model_fields, *AuthSettings.model_fields, *MigrationSettings.model_fields}
    for name in list(os.environ):
        if name.lower() in ours or name == "PORT" or name.startswith("PG"):
            del os.environ[name]
    # a shell starts what it puts in the background deaf to Ctrl-C, and nohup to a hangup; children
    # inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def cluster(_clean_environment: None) -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        given = os.environ.get("TEST_DATABASE_URL")
        cluster = Cluster(given) if given else stack.enter_context(_postgres())
        if os.environ.get("TEST_POOLER") == "pgbouncer":
            pooler = stack.enter_context(pgbouncer(cluster.superuser))
            cluster = replace(cluster, pooler=pooler)
        yield cluster


@pytest.fixture(scope="session")
def own_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server whose files a test may read and change, and which asks for no password."""
    if "TEST_DATABASE_URL" not in os.environ:
        yield request.getfixturevalue("cluster")
    else:
        with _postgres() as cluster:
            yield cluster


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@contextlib.contextmanager
def _postgres() -> Iterator[Cluster]:
    with scratch() as folder, started(folder / "postgres") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> Iterator[TaskDatabase]:
    """The database that tests share; people keep out of each other's way."""
    with cluster.database() as database:
        yield database


@pytest.fixture
def own_database(cluster: Cluster) -> Iterator[TaskDatabase]:
    """A database for one test, which may break it."""
    with cluster.database() as database:
        yield database


@pytest.fixture(scope="session")
def server(database: TaskDatabase) -> Iterator[str]:
    """The address of the API, in secret mode, serving as task_app."""
    with serving(
        Settings(
            database_url=database.task_app,
            better_auth_secret=SECRET,
            cors_origins="https://app.example.com",
            rate_limit_address="off",  # there are many refused tokens, and one address
        )
    ) as address:
        yield address


@pytest.fixture
def people(server: str) -> Iterator[People]:
    with People(server) as people:
        yield people


@pytest.fixture
def alice(people: People) -> Person:
    return people.person("alice")


@pytest.fixture
def bob(people: People) -> Person:
    return people.person("bob")


@pytest.fixture
def stranger(people: People) -> Person:
    return people.stranger()


@pytest.fixture
def as_owner(database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        yield connection


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture
def counted() -> Iterator[list[str]]:
    """The labels by which errors of the database are counted here."""
    labels: list[str] = []
    errors.counters.append(labels.append)
    yield labels
    errors.counters.remove(labels.append)
