"""Whoever refuses a connection, and in whatever words: people are asked to come back, and the
operator is told why."""

import logging
from collections.abc import Iterator

import pytest

from api.database.connector import CannotConnect, Connector
from api.settings import Settings
from tests.faults.cluster import Postgres
from tests.faults.conftest import POOL_TIMEOUT
from tests.faults.crowd import is_asked_to_come_back
from tests.faults.proxy import Proxy, Refusal, Step, proxy
from tests.people import SECRET, People, Person
from tests.program import run
from tests.server import serving

PASSWORD = "hush-hush@1"
WRITTEN = "hush-hush%401"  # in a URL
QUOTA = "Your account or project has exceeded the compute time quota."

WORDS = {
    "XX000": QUOTA,
    "08P01": "server login failed",
    "53300": "too many connections",
    "57P03": "the database system is starting up",
    "28P01": "password authentication failed",
    "42501": "permission denied",
    "23505": "duplicate key",
    "ZZ999": "nobody knows this class",
    "NEON1": "The endpoint has been disabled.",
    "": "not even a code",
}
CONNECTING = (Step.GREETED, Step.SIGNED_IN, Step.READY)


@pytest.fixture(scope="module")
def between(postgres: Postgres) -> Iterator[Proxy]:
    with proxy(postgres) as made:
        yield made


@pytest.fixture(scope="module")
def people(between: Proxy) -> Iterator[People]:
    """The people of an API that meets PostgreSQL behind the proxy."""
    settings = Settings(
        database_url=between.url, better_auth_secret=SECRET, pool_timeout=POOL_TIMEOUT
    )
    with serving(settings) as address, People(address) as people:
        yield people


@pytest.fixture
def alice(people: People) -> Person:
    return people.person("alice")


def with_password(url: str) -> str:
    return url.replace("task_app@", f"task_app:{WRITTEN}@")


async def reason(url: str) -> str:
    with pytest.raises(CannotConnect) as refusal:
        await Connector(url)(5)
    return str(refusal.value)


@pytest.mark.parametrize("step", CONNECTING)
@pytest.mark.parametrize("sqlstate", WORDS)
def test_alice_is_asked_to_come_back_and_the_log_says_why(
    between: Proxy,
    alice: Person,
    sqlstate: str,
    step: Step,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert alice.http.get("/api/tasks").status_code == 200
    with between.refusing(Refusal(sqlstate, WORDS[sqlstate], step)):
        response = alice.http.get("/api/tasks")
        is_asked_to_come_back(response)
        assert WORDS[sqlstate] not in response.text
    assert any(
        WORDS[sqlstate] in record.getMessage() and sqlstate in record.getMessage()
        for record in caplog.records
        if record.name == "api.database" and record.levelno == logging.WARNING
    )
    assert alice.http.get("/api/tasks").status_code == 200


def test_a_pooler_that_ends_a_connection_is_no_fault_of_the_program(
    between: Proxy, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    assert alice.http.get("/api/tasks").status_code == 200
    with between.refusing(Refusal("XX000", "the row of bob", Step.SERVING)):
        is_asked_to_come_back(alice.http.get("/api/tasks"))
    assert "the row of bob" not in caplog.text, "a statement was run, so it may quote a row"
    assert alice.http.get("/api/tasks").status_code == 200


@pytest.mark.evidence("secrets-in-errors")
@pytest.mark.parametrize("step", CONNECTING)
def test_serve_and_doctor_say_what_the_proxy_said(between: Proxy, step: Step) -> None:
    settings = {"DATABASE_URL": with_password(between.url), "BETTER_AUTH_SECRET": SECRET}
    said = f"{QUOTA}\nThe password is {PASSWORD}, in a URL {WRITTEN}.\x1b[2J {settings}"
    with between.refusing(Refusal("XX000", said, step)):
        line = run("serve", "--port", "0", **settings).refusal()
        doctor = run("doctor", **settings)
    assert f"(XX000): {QUOTA}" in line
    assert doctor.code == 1
    (found,) = (one for one in doctor.out.splitlines() if one.startswith("  FAIL"))
    assert f"(XX000): {QUOTA}" in found
    assert "-> Do what the server says" in doctor.out
    for text in (line, doctor.out, doctor.err):
        assert "hush-hush" not in text
        assert "\x1b" not in text


@pytest.mark.parametrize("step", CONNECTING)
@pytest.mark.parametrize("said", [b"\xff\xfe", b"", b"x" * 20_000])
@pytest.mark.anyio
async def test_words_that_are_none_are_one_line_as_well(
    between: Proxy, step: Step, said: bytes
) -> None:
    with between.refusing(Refusal("XX000", said, step)):
        line = await reason(between.url)
    assert len(line) < 600
    assert line.isprintable()


def test_a_process_that_is_refused_is_not_said_to_serve(postgres: Postgres) -> None:
    """The gate is passed, one process takes the last connection, and the other finds none."""
    settings = {"DATABASE_URL": postgres.database.task_app, "BETTER_AUTH_SECRET": SECRET}
    with postgres.crowded(1):
        outcome = run("serve", "--port", "0", "--workers", "2", **settings)
    assert outcome.code == 1
    assert "serving on" not in outcome.out
    assert "too many connections" in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("task-api: ")
