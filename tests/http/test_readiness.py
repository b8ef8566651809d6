"""What /readyz says is wrong, to whom, and how seldom it asks."""

import contextlib
import time
from collections.abc import Callable, Iterator

import httpx2
import psycopg
import pytest

from api.auth import jwks
from api.commands.migrate import migrate
from api.http import readiness, shared_counters
from api.settings import Settings
from tests.cluster import TaskDatabase
from tests.keyserver import Issuer
from tests.people import People
from tests.problems import problem
from tests.redis import PASSWORD, redis
from tests.server import people_of, serving

HEALTHY = {"status": "ok"}


@pytest.fixture
def own_people(own_database: TaskDatabase) -> Iterator[People]:
    # a pooler keeps its clients when it loses the server
    with people_of(own_database, database_url=own_database.direct) as people:
        yield people


@contextlib.contextmanager
def trusting(issuer: Issuer, database: TaskDatabase) -> Iterator[People]:
    settings = Settings(
        database_url=database.task_app,
        auth_jwks_url=issuer.url,
        auth_issuer=issuer.origin,
        auth_audience=issuer.origin,
    )
    with serving(settings) as address, People(address) as people:
        yield people


@pytest.fixture
def superuser(own_database: TaskDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_database.superuser, autocommit=True) as connection:
        yield connection


def wrong(answer: httpx2.Response) -> list[str]:
    return [fault["detail"] for fault in problem(answer, 503, "unavailable")["errors"]]


def last_asked(superuser: psycopg.Connection) -> object:
    """When the server last asked the database anything."""
    row = superuser.execute(
        "select max(query_start) from pg_stat_activity"
        " where usename = 'task_app' and datname = current_database()"
    ).fetchone()
    return row[0] if row else None


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.evidence("readyz-names")
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("alter table task disable row level security", "Row security is not in force."),
        ("alter role task_app bypassrls", "Row security is not in force."),
        ("comment on table task is '0001.create-task'", "Migrations are behind."),
        ("comment on table task is null", "Migrations are behind."),
        ("revoke update (title) on task from task_app", "Privileges are missing."),
        ("revoke select on idempotency_key from task_app", "Privileges are missing."),
    ],
)
def test_a_balancer_is_told_what_is_wrong_and_nothing_else(
    own_people: People,
    own_database: TaskDatabase,
    superuser: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    said: str,
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    balancer = own_people.stranger()
    assert balancer.http.get("/readyz").json() == HEALTHY
    superuser.execute(broken.encode())
    try:
        answer = balancer.http.get("/readyz")
        assert wrong(answer) == [said]
        assert int(answer.headers["Retry-After"]) > 0
        for private in ("task_app", "BYPASSRLS", "0001", own_database.task_app):
            assert private not in answer.text
        balancer.http.get("/readyz")
        # the operator is told why, once
        (cause,) = [one for one in caplog.messages if one.startswith("not ready: ")]
        assert len(cause) > len(f"not ready: {said}")
    finally:
        superuser.execute("alter role task_app nobypassrls")
    migrate(own_database.owner)
    assert balancer.http.get("/readyz").json() == HEALTHY


def test_a_database_that_is_ahead_is_served(
    own_people: People, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    superuser.execute("comment on table task is '9999.of-a-later-version'")
    assert own_people.stranger().http.get("/readyz").json() == HEALTHY


def test_an_answer_is_good_for_some_seconds(
    own_people: People, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 1.5)
    balancer = own_people.stranger()
    assert balancer.http.get("/readyz").json() == HEALTHY
    superuser.execute("alter table task disable row level security")
    assert balancer.http.get("/readyz").json() == HEALTHY
    assert within(5, lambda: balancer.http.get("/readyz").status_code == 503)
    superuser.execute("alter table task enable row level security")
    assert balancer.http.get("/readyz").status_code == 503
    assert within(5, lambda: balancer.http.get("/readyz").status_code == 200)


def test_a_database_that_nobody_uses_may_sleep_however_often_a_probe_asks(
    own_people: People, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    alice, balancer = own_people.person("alice"), own_people.stranger()
    balancer.http.get("/readyz")
    before = last_asked(superuser)
    balancer.http.get("/readyz")
    assert last_asked(superuser) != before  # the control: it has been used just now

    monkeypatch.setattr(readiness, "AWAKE", 0.2)
    time.sleep(0.3)
    before = last_asked(superuser)
    for _ in range(5):
        assert balancer.http.get("/readyz").json() == HEALTHY
    assert last_asked(superuser) == before

    alice.creates()
    before = last_asked(superuser)
    balancer.http.get("/readyz")
    assert last_asked(superuser) != before


def test_a_connection_that_breaks_is_a_reason_to_ask(
    own_people: People,
    own_database: TaskDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    monkeypatch.setattr(readiness, "AWAKE", 0)
    balancer = own_people.stranger()
    assert balancer.http.get("/readyz").json() == HEALTHY
    with own_database.shut():
        assert within(5, lambda: balancer.http.get("/readyz").status_code == 503)
        assert wrong(balancer.http.get("/readyz")) == ["The database cannot be reached."]
    assert balancer.http.get("/readyz").json() == HEALTHY


def test_an_issuer_whose_keys_were_never_had_is_said(
    issuer: Issuer, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "MAX_AGE", 0)
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0.1)
    issuer.status = 500
    with trusting(issuer, database) as people:
        balancer = people.stranger()
        assert wrong(balancer.http.get("/readyz")) == ["The issuer's keys cannot be had."]
        issuer.status = 200
        issuer.makes_key("first")
        assert within(5, lambda: balancer.http.get("/readyz").status_code == 200)
        assert balancer.http.get("/readyz").json() == HEALTHY


def test_keys_that_are_stale_serve_on_and_that_is_said(
    issuer: Issuer, database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "MIN_REFRESH_INTERVAL", 0)
    monkeypatch.setattr(jwks, "TTL", 0.2)
    issuer.makes_key("first")
    with trusting(issuer, database) as people:
        balancer = people.stranger()
        alice = {"Authorization": f"Bearer {issuer.signs('first')}"}
        assert balancer.http.get("/api/tasks", headers=alice).status_code == 200
        assert balancer.http.get("/readyz").json() == HEALTHY
        issuer.status = 500
        time.sleep(0.3)

        def warned() -> bool:
            assert balancer.http.get("/api/tasks", headers=alice).status_code == 200
            answer = balancer.http.get("/readyz")
            assert answer.status_code == 200
            stale = ["The issuer's keys are stale."]
            return bool(answer.json() == HEALTHY | {"warnings": stale})

        assert within(5, warned)


@pytest.mark.evidence("readyz-names")
def test_a_shared_count_that_is_away_is_a_warning_and_no_reason_not_to_serve(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counters, "PAUSE", 0.1)
    with (
        redis() as a_redis,
        people_of(database, rate_limit_storage=a_redis.url, rate_limit_storage_timeout=5) as people,
    ):
        balancer = people.stranger()
        assert balancer.http.get("/readyz").json() == HEALTHY

        def warned() -> bool:
            answer = balancer.http.get("/readyz")
            assert answer.status_code == 200
            for private in (PASSWORD, a_redis.url, "127.0.0.1", "edis", "refused"):
                assert private not in answer.text
            shared = ["The shared rate limits cannot be reached."]
            return bool(answer.json() == HEALTHY | {"warnings": shared})

        # nobody uses it but the probe
        a_redis.goes()
        assert within(5, warned)
        a_redis.comes()
        assert within(5, lambda: bool(balancer.http.get("/readyz").json() == HEALTHY))


def test_a_probe_asks_the_shared_count_seldom(database: TaskDatabase) -> None:
    with (
        redis() as a_redis,
        people_of(database, rate_limit_storage=a_redis.url, rate_limit_storage_timeout=5) as people,
    ):
        balancer = people.stranger()
        assert balancer.http.get("/readyz").json() == HEALTHY
        a_redis.goes()
        # as of some seconds ago
        assert balancer.http.get("/readyz").json() == HEALTHY


def test_a_shared_count_that_is_not_used_is_not_asked_for(database: TaskDatabase) -> None:
    nowhere = "redis://127.0.0.1:1"
    with people_of(database, rate_limit="off", rate_limit_storage=nowhere) as people:
        assert people.stranger().http.get("/readyz").json() == HEALTHY
