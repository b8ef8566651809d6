"""Each timeout is what the operator says; tests/faults has what happens when a client is slow."""

import contextlib
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from api.commands.migrate import migrate
from api.database.session import Database
from api.settings import RoleSettings, Settings, SettingsError, load
from tests.cluster import TaskDatabase
from tests.commands.test_serve import port_of, settings_for
from tests.faults.raw import raw
from tests.http.test_readiness import within, wrong
from tests.locks import held
from tests.people import SECRET
from tests.program import Running, run, running
from tests.server import people_of

HOST = "Host: localhost"
LIVE = "GET /livez HTTP/1.1"


def address_of(serve: Running) -> str:
    return f"http://127.0.0.1:{port_of(serve)}"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("seconds", "is_open"), [("1", False), ("600", True), ("620", True)])
def test_an_idle_connection_is_kept_for_as_long_as_the_operator_says(
    database: TaskDatabase, workers: str, seconds: str, is_open: bool
) -> None:
    options = ("--port", "0", "--workers", workers, "--keep-alive", seconds)
    with (
        running("serve", *options, **settings_for(database)) as serve,
        raw(address_of(serve)) as client,
    ):
        client.sends(LIVE, HOST)
        assert b" 200 " in client.reads()
        time.sleep(3)
        if is_open:
            client.sends(LIVE, HOST)
            assert b" 200 " in client.reads()
        else:
            assert client.ends().content == b""


@pytest.mark.parametrize(("seconds", "is_served"), [("4", True), ("0", False)])
def test_a_server_that_stops_waits_for_a_next_request_for_as_long_as_the_operator_says(
    database: TaskDatabase, seconds: str, is_served: bool
) -> None:
    settings = settings_for(database) | {"DRAIN_TIMEOUT": seconds}
    with running("serve", "--port", "0", **settings) as serve, raw(address_of(serve)) as client:
        client.sends(LIVE, HOST)
        assert b" 200 " in client.reads()
        serve.process.send_signal(signal.SIGTERM)
        time.sleep(2)
        if is_served:
            client.sends(LIVE, HOST)
            assert b" 200 " in client.reads()
        else:
            assert client.ends().content == b""


def test_readiness_waits_for_the_database_for_as_long_as_the_operator_says(
    own_database: TaskDatabase,
) -> None:
    settings = {"pool_size": 1, "pool_timeout": 30, "readiness_timeout": 0.3}
    with people_of(own_database, **settings) as people, held(own_database.owner, "lock table task"):
        alice, balancer = people.person("alice"), people.stranger()
        assert balancer.http.get("/readyz").status_code == 200
        time.sleep(3.1)  # an answer is good for some seconds
        with ThreadPoolExecutor(1) as thread:
            asking = thread.submit(alice.http.get, "/api/tasks")
            time.sleep(0.3)
            answer = balancer.http.get("/readyz")
            assert not asking.done()  # the lock has a timeout of two seconds
            assert wrong(answer) == ["The database cannot be reached."]


@pytest.mark.parametrize(("seconds", "waits"), [("0.3", False), ("4", True)])
def test_a_worker_that_does_not_stop_is_waited_for_as_long_as_the_operator_says(
    database: TaskDatabase, seconds: str, waits: bool
) -> None:
    settings = settings_for(database) | {"SHUTDOWN_TIMEOUT": "0", "WORKER_STOP_TIMEOUT": seconds}
    with running("serve", "--port", "0", "--workers", "2", **settings) as serve:
        port_of(serve)
        workers = psutil.Process(serve.process.pid).children()
        workers[-1].suspend()
        began = time.monotonic()
        assert serve.stops(signal.SIGTERM).code == 0
        assert (time.monotonic() - began > 3.5) == waits
        _, alive = psutil.wait_procs(workers, timeout=2)
        assert alive == []


@pytest.mark.anyio
@pytest.mark.parametrize(("seconds", "waits"), [(0.3, False), (3, True)])
async def test_closing_a_connection_to_the_database_takes_as_long_as_the_operator_says(
    own_database: TaskDatabase, seconds: float, waits: bool
) -> None:
    settings = Settings(
        database_url=own_database.direct, better_auth_secret=SECRET, pool_close_timeout=seconds
    )
    with psycopg.connect(own_database.superuser) as superuser, contextlib.ExitStack() as stack:
        async with Database.connect(settings):
            rows = superuser.execute(
                "select pid from pg_stat_activity"
                " where usename = 'task_app' and datname = current_database()"
            ).fetchall()
            assert len(rows) == 1
            for (pid,) in rows:
                process = psutil.Process(pid)
                stack.callback(process.resume)
                process.suspend()
            began = time.monotonic()
        assert (time.monotonic() - began > 2.5) == waits


@pytest.mark.parametrize(("seconds", "label"), [(0.5, "08"), (30, "55P03")])
def test_a_connection_is_lent_for_as_long_as_the_operator_says(
    own_database: TaskDatabase, counted: list[str], seconds: float, label: str
) -> None:
    with (
        people_of(own_database, pool_lease_timeout=seconds) as people,
        held(own_database.owner, "lock table task"),
    ):
        assert people.person("alice").http.get("/api/tasks").status_code == 503
    assert {*counted} == {label}


@pytest.mark.parametrize(("seconds", "stays"), [(0.5, False), (240, True)])
def test_an_idle_connection_to_the_database_is_kept_for_as_long_as_the_operator_says(
    own_database: TaskDatabase, seconds: float, stays: bool
) -> None:
    url = own_database.direct
    with (
        people_of(own_database, database_url=url, pool_idle_timeout=seconds) as people,
        psycopg.connect(own_database.superuser, autocommit=True) as superuser,
    ):
        assert people.person("alice").lists() == []

        def is_gone() -> bool:
            return superuser.execute(
                "select count(*) from pg_stat_activity"
                " where usename = 'task_app' and datname = current_database()"
            ).fetchone() == (0,)

        assert within(3, is_gone) != stays


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (f"{name}_TIMEOUT", value)
            for name in ("HEAD", "BODY", "WRITE", "MIDDLEWARE", "WORKER_STOP")
            for value in ("0", "601")
        ),
        *((f"POOL_{name}_TIMEOUT", "0") for name in ("LEASE", "IDLE", "CLOSE")),
        ("POOL_CLOSE_TIMEOUT", "61"),
        ("SPAN_FLUSH_TIMEOUT", "0"),
        ("SPAN_FLUSH_TIMEOUT", "61"),
        ("POOL_LEASE_TIMEOUT", "601"),
        ("POOL_IDLE_TIMEOUT", "86401"),
        ("DRAIN_TIMEOUT", "-1"),
        ("DRAIN_TIMEOUT", "61"),
        ("SEARCH_TIMEOUT", "0.0001"),  # of PostgreSQL 0 ms would be none
        ("SEARCH_TIMEOUT", "601"),
        ("READINESS_TIMEOUT", "nan"),
        ("AUTH_JWKS_TIMEOUT", "inf"),
        ("RATE_LIMIT_STORAGE_TIMEOUT", "soon"),
    ],
)
def test_a_timeout_out_of_its_range_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere")
    monkeypatch.setenv("BETTER_AUTH_SECRET", SECRET)
    load(Settings)  # the control
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} "):
        load(Settings)


ROLE = {
    "STATEMENT_TIMEOUT": ("7.5", "7500ms"),
    "LOCK_TIMEOUT": ("0.3", "300ms"),
    "IDLE_IN_TRANSACTION_SESSION_TIMEOUT": ("60", "1min"),
}


@pytest.fixture
def patient(own_database: TaskDatabase) -> Iterator[TaskDatabase]:
    """A database whose role has the timeouts that the operator gave to `migrate`."""
    given = {name: seconds for name, (seconds, _) in ROLE.items()}
    applied = run("migrate", MIGRATION_DATABASE_URL=own_database.owner, **given)
    assert applied.code == 0, applied
    try:
        yield own_database
    finally:
        migrate(own_database.owner)  # the role is that of every database of this server


def test_the_role_has_the_timeouts_that_the_operator_gives_to_migrate(
    patient: TaskDatabase,
) -> None:
    with psycopg.connect(patient.direct) as connection:
        for name, (_, shown) in ROLE.items():
            assert connection.execute(f"show {name}".encode()).fetchone() == (shown,)
    with people_of(patient) as people, held(patient.owner, "lock table task"):
        began = time.monotonic()
        assert people.person("alice").http.get("/api/tasks").status_code == 503
        assert time.monotonic() - began < 1.5


def test_who_gives_none_has_those_of_the_policy_files_again(patient: TaskDatabase) -> None:
    migrate(patient.owner)
    with psycopg.connect(patient.direct) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("5s",)


def test_the_audit_expects_the_timeouts_that_migrate_was_given(patient: TaskDatabase) -> None:
    urls = {"MIGRATION_DATABASE_URL": patient.owner, "DATABASE_URL": patient.direct}
    given = {name: seconds for name, (seconds, _) in ROLE.items()}
    assert run("audit", **urls, **given).code == 0
    forgotten = run("audit", **urls)
    assert forgotten.code == 1
    for name in ROLE:
        assert f"role task_app setting {name.lower()}" in forgotten.out


@pytest.mark.parametrize("name", ROLE)
@pytest.mark.parametrize("value", ["0", "0.0001", "601", "nan", "soon", "5s"])
def test_a_timeout_of_the_role_out_of_its_range_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, "600")
    assert load(RoleSettings).timeouts() == {name.lower(): "600s"}  # the control
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} "):
        load(RoleSettings)
    refusal = run("migrate", MIGRATION_DATABASE_URL="postgresql://nowhere", **{name: value})
    assert refusal.refusal().startswith(f"task-api: {name} ")
    assert f"FAIL  {name}" in run("doctor", **{name: value}).out
