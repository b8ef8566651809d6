"""Each timeout is what the operator says; tests/faults has what happens when a client is slow."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from api.database import errors
from api.settings import Settings, SettingsError, load
from tests.cluster import TaskDatabase
from tests.commands.test_serve import port_of, settings_for
from tests.faults.raw import raw
from tests.http.test_readiness import within, wrong
from tests.locks import held
from tests.people import SECRET
from tests.program import Running, running
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


@pytest.fixture
def counted() -> Iterator[list[str]]:
    labels: list[str] = []
    errors.counters.append(labels.append)
    yield labels
    errors.counters.remove(labels.append)


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
            for name in ("HEAD", "BODY", "WRITE")
            for value in ("0", "601")
        ),
        *((f"POOL_{name}_TIMEOUT", "0") for name in ("LEASE", "IDLE")),
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
