"""Every log line that is made while a request is served says which one, and no other line does."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psycopg
import pytest
from fastapi import APIRouter

from api.main import create_app
from api.observability import logs
from api.setting_values import LogFormat
from tests.cluster import TaskDatabase
from tests.extended import settings_of
from tests.keyserver import Issuer
from tests.locks import held
from tests.observability.test_logs import address_of, settings_for
from tests.people import People, signed
from tests.program import Running, running
from tests.server import people_of, serving

TASKS = "/api/tasks"


def lines(serve: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in serve.err.splitlines()]


def asked(serve: Running, token: str, request_id: str, **more: Any) -> int:
    headers = {"Authorization": f"Bearer {token}", "X-Request-Id": request_id}
    with httpx2.Client(base_url=address_of(serve), headers=headers, timeout=20) as client:
        return client.request(
            more.pop("method", "GET"), more.pop("path", TASKS), **more
        ).status_code


def labels(serve: Running, logger: str) -> list[tuple[str, str | None, str | None]]:
    """Level, request and route of what this logger has said."""
    return [
        (line["level"], line.get("request_id"), line.get("route"))
        for line in lines(serve)
        if line["logger"] == logger
    ]


def test_an_error_of_the_database_says_whose_request_it_was(own_database: TaskDatabase) -> None:
    token = signed({"sub": "alice"})
    with running("serve", "--port", "0", **settings_for(own_database)) as serve:
        assert asked(serve, token, "fine") == 200
        with psycopg.connect(own_database.owner, autocommit=True) as owner:
            owner.execute("revoke insert, select on task from task_app")
        assert asked(serve, token, "reads") == 500
        assert asked(serve, token, "writes", method="POST", json={"title": "x"}) == 500
        assert asked(serve, token, "one", path=f"{TASKS}/7") == 500
        serve.stops()
        assert labels(serve, "api.database") == [
            ("error", "reads", TASKS),
            ("error", "writes", TASKS),
            ("error", "one", f"{TASKS}/{{task_id}}"),
        ]
        others = [line for line in lines(serve) if line["logger"].startswith("uvicorn")]
        assert others
        assert all("request_id" not in line for line in others)


def test_a_database_that_is_busy_or_away_says_whose_request_it_was(
    own_database: TaskDatabase,
) -> None:
    token = signed({"sub": "alice"})
    settings = settings_for(own_database) | {"DATABASE_URL": own_database.direct}
    with running("serve", "--port", "0", **settings) as serve:
        with held(own_database.owner, "lock table task"):
            assert asked(serve, token, "busy") == 503
        with own_database.shut():
            assert asked(serve, token, "away") == 503
        serve.stops()
        assert {*labels(serve, "api.database")} == {
            ("warning", "busy", TASKS),
            ("warning", "away", TASKS),
        }


def test_keys_that_cannot_be_fetched_say_whose_request_it_was(
    database: TaskDatabase, issuer: Issuer
) -> None:
    issuer.makes_key("one")
    issuer.status = 500
    settings = {"DATABASE_URL": database.task_app} | issuer.settings
    with running("serve", "--port", "0", **settings) as serve:
        assert asked(serve, issuer.signs("one"), "mine") == 503
        serve.stops()
        assert labels(serve, "api.auth.jwks") == [("warning", "mine", TASKS)]


def test_people_are_told_as_well(own_database: TaskDatabase) -> None:
    settings = settings_for(own_database) | {"LOG_FORMAT": "text"}
    with running("serve", "--port", "0", **settings) as serve:
        serve.says("serving on")
        with psycopg.connect(own_database.owner, autocommit=True) as owner:
            owner.execute("revoke select on task from task_app")
        assert asked(serve, signed({"sub": "alice"}), "mine") == 500
        serve.stops()
        said = "ERROR:    database error: InsufficientPrivilegeError (42501) - /api/tasks mine"
        assert said in serve.err.splitlines()


# in this process, with routes of its own


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What the loggers of `api` say meanwhile, as JSON."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logs.formatter(LogFormat.JSON))
    logging.getLogger("api").addHandler(handler)
    yield text
    logging.getLogger("api").removeHandler(handler)


def said_by(text: io.StringIO) -> list[tuple[str, str | None, str | None]]:
    entries = map(json.loads, text.getvalue().splitlines())
    return [(one["message"], one.get("request_id"), one.get("route")) for one in entries]


def test_what_is_logged_after_the_response_is_nobodys(
    database: TaskDatabase, said: io.StringIO
) -> None:
    log = logging.getLogger("api.of.the.test")
    log.setLevel(logging.INFO)
    later = asyncio.Event()
    app = create_app(settings_of(database))

    @app.get("/logs/{name}")
    async def logs_a_line(name: str) -> None:
        log.info("meanwhile")
        asyncio.get_running_loop().call_later(0.05, log.info, "afterwards")
        asyncio.get_running_loop().call_later(0.1, later.set)

    @app.get("/waits")
    async def waits() -> None:
        await later.wait()

    with serving(settings_of(database), app) as address, People(address) as people:
        alice = people.person("alice")
        for path, request_id in (("/logs/mark7f3a", "first"), ("/waits", "second")):
            answer = alice.http.get(path, headers={"X-Request-Id": request_id})
            assert answer.status_code == 200
    assert said_by(said) == [
        ("meanwhile", "first", "/logs/{name}"),
        ("afterwards", None, None),
    ]


def test_a_fault_of_a_route_with_a_prefix_is_labelled_with_both(
    database: TaskDatabase, said: io.StringIO
) -> None:
    app = create_app(settings_of(database))
    router = APIRouter()

    @router.get("/{name}")
    async def fails(name: str) -> None:
        raise RuntimeError(name)

    app.include_router(router, prefix="/more")
    with serving(settings_of(database), app) as address, People(address) as people:
        answer = people.stranger().http.get("/more/mark7f3a")
    assert answer.status_code == 500
    assert said_by(said) == [
        ("a fault of this program", answer.headers["X-Request-Id"], "/more/{name}")
    ]


def test_requests_at_once_are_told_apart(own_database: TaskDatabase, said: io.StringIO) -> None:
    names = ["alice", "bob", "carol"]
    with people_of(own_database) as people, held(own_database.owner, "lock table task"):

        def waits(name: str) -> int:
            http = people.person(name).http
            return http.get(TASKS, headers={"X-Request-Id": name}).status_code

        with ThreadPoolExecutor(len(names)) as threads:
            assert [*threads.map(waits, names)] == [503] * 3
    assert sorted(request_id or "" for _, request_id, _ in said_by(said)) == names
