"""What the server logs: one line for each thing, for a program or for people, and nobody's data."""

import contextlib
import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from api.observability import logs
from tests.bunch import PRIVATE, TOKEN, sends_a_bunch
from tests.cluster import TaskDatabase
from tests.people import SECRET, Person
from tests.problems import MARK
from tests.program import PATIENCE, TASK_API, Running, environment, run, running
from tests.server import people_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def settings_for(database: TaskDatabase) -> dict[str, str]:
    return {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}


def address_of(serve: Running) -> str:
    found = re.search(r"serving on \S+ port (\d+)", serve.says("serving on"))
    assert found
    return f"http://127.0.0.1:{found[1]}"


def line_of(captured: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line on stderr."""
    (line,) = captured.readouterr().err.splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


# a request


def test_a_request_is_a_line_of_json(alice: Person, capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    answer = alice.http.get("/api/tasks/7", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    line = line_of(capsys)
    ms, moment = line.pop("ms"), line.pop("time")
    assert line == {
        "level": "info",
        "logger": "api.request",
        "method": "GET",
        "route": "/api/tasks/{task_id}",
        "status": 404,
        "problem": "no-such-task",
        "request_id": answer.headers["X-Request-Id"],
        "trace_id": TRACE,
        "client": "127.0.0.1",
    }
    assert 0 < ms < 20_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert -1 < (datetime.fromisoformat(moment) - before).total_seconds() < 20


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/tasks?title=mark7f3a", "/api/tasks", 422),
        ("POST", "/api/tasks/mark7f3a/complete", "/api/tasks/{task_id}/complete", 405),
        ("DELETE", "/api/tasks/mark7f3a", "/api/tasks/{task_id}", 404),
        ("PUT", "/api/tasks/bulk", "/api/tasks/bulk", 405),
        ("GET", "/mark7f3a", "none", 404),
        ("HEAD", "/livez", "/livez", 200),
        ("OPTIONS", "/mark7f3a", "none", 404),
    ],
)
def test_a_route_is_named_as_the_program_names_it(
    alice: Person,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    route: str,
    status: int,
) -> None:
    alice.http.request(method, path)
    line = line_of(capsys)
    assert (line["method"], line["route"], line["status"]) == (method, route, status)
    assert MARK not in str(line)


def test_a_method_that_is_not_known_has_no_name(
    alice: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    alice.http.request("PROPFIND", "/api/tasks")
    assert line_of(capsys)["method"] == "_OTHER"


def test_what_went_well_has_no_problem_and_no_trace_unless_it_was_sent(
    alice: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    alice.creates()
    assert line_of(capsys).keys().isdisjoint({"problem", "trace_id"})


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-{SPAN}-01", TRACE),
        (f"00-{TRACE}-{SPAN}-00", TRACE),
        (f"cc-{TRACE}-{SPAN}-01", TRACE),
        (f"cc-{TRACE}-{SPAN}-01-what-will-be", TRACE),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"cc-{TRACE}-{SPAN}-01.more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE[:-1]}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}-1", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f'00-{TRACE[:-1]}"-{SPAN}-01', None),
        ("mark7f3a", None),
        ("", None),
    ],
)
def test_a_trace_is_taken_from_a_traceparent_that_is_one(
    alice: Person, capsys: pytest.CaptureFixture[str], traceparent: str, trace: str | None
) -> None:
    alice.http.get("/livez", headers={"traceparent": traceparent})
    line = line_of(capsys)
    assert line.get("trace_id") == trace
    assert MARK not in str(line)


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ('192.0.2.7","level":"error', None),
        ("mark7f3a", None),
        ("192.0.2.7\t|", None),
    ],
)
def test_whom_a_proxy_names_is_an_address_or_nobody(
    alice: Person, capsys: pytest.CaptureFixture[str], said: str, client: str | None
) -> None:
    alice.http.get("/livez", headers={"X-Forwarded-For": said})
    assert line_of(capsys).get("client") == client


def test_what_was_no_http_is_a_line_too(
    server: str, alice: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alice.http.get("/livez", headers={"X-Long": MARK * 9000}).status_code == 431
    line = line_of(capsys)
    assert (line["method"], line["route"], line["status"]) == ("_OTHER", "none", 431)
    assert (line["problem"], line["client"]) == ("head-too-large", "127.0.0.1")


def test_a_fault_of_the_server_is_an_error(
    own_database: TaskDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with people_of(own_database) as people:
        _takes_the_table_away(own_database)
        assert people.person("alice").http.get("/api/tasks").status_code == 500
    assert line_of(capsys)["level"] == "error"


def _takes_the_table_away(database: TaskDatabase) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute("alter table task rename to elsewhere")


# everything else


def formatted(name: str, error: BaseException | None, message: str, *values: object) -> str:
    raised = (type(error), error, None) if error else None
    record = logging.LogRecord(
        "api.somewhere", logging.ERROR, "", 1, message, values, exc_info=raised
    )
    return {"json": logs.JSONFormatter(), "text": logs.TextFormatter()}[name].format(record)


def fault() -> BaseException:
    """One that quotes what a client sent, raised while another one was handled."""
    try:
        try:
            raise KeyError(MARK)
        except KeyError as first:
            raise ValueError(f"the title {MARK}\nis bad") from first
    except ValueError as second:
        return second


def test_a_fault_is_one_line_with_its_type_and_its_place_and_not_what_it_quotes() -> None:
    line = formatted("json", fault(), "a fault of %s", "somebody")
    assert "\n" not in line
    entry = json.loads(line)
    assert entry["message"] == "a fault of somebody"
    assert (entry["level"], entry["logger"]) == ("error", "api.somewhere")
    assert entry["exception"] == "builtins.ValueError"
    assert entry["traceback"].index("builtins.KeyError") < entry["traceback"].index("ValueError")
    assert "in fault\n    raise KeyError(MARK)" in entry["traceback"]
    assert MARK not in line


def test_people_are_told_the_same_of_a_fault() -> None:
    lines = formatted("text", fault(), "a fault").splitlines()
    assert lines[0] == "ERROR:    a fault"
    assert "    raise KeyError(MARK)" in lines
    assert lines[-1] == "builtins.ValueError"
    assert MARK not in "\n".join(lines)


@pytest.mark.evidence("log-forgery")
@pytest.mark.parametrize("evil", ["\nINFO:     all is well", "\r\x1b[2K", "\x9b31m", "\u2028x"])
@pytest.mark.parametrize("chosen", ["json", "text"])
def test_a_message_cannot_forge_a_line(chosen: str, evil: str) -> None:
    text = formatted(chosen, None, "key set not fetched: %s", evil)
    assert not [line for line in text.splitlines() if line.startswith("INFO:")]
    assert not set(text) & {"\r", "\x1b", "\x9b", "\u2028"}


def test_libraries_are_heard_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import logging, logging.config; from api.observability import logs; "
            "logging.config.dictConfig(logs.config(logs.LogFormat.JSON)); "
            "logging.getLogger('asyncio').error('a task %s', 'died'); "
            "logging.getLogger('httpx2').info('GET a secret address')",
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == "a task died"
    assert json.loads(line)["logger"] == "asyncio"


# whole servers


@pytest.mark.evidence("log-forgery")
def test_all_that_two_workers_say_is_json_and_holds_nothing_private(
    database: TaskDatabase,
) -> None:
    with running("serve", "--workers", "2", "--port", "0", **settings_for(database)) as serve:
        address = address_of(serve)
        sent = sum(sends_a_bunch(address) for _ in range(2))
        outcome = serve.stops()
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    requests = [line for line in lines if line["logger"] == "api.request"]
    assert len(requests) == sent + 4  # what was no HTTP, too
    assert len({line["request_id"] for line in requests}) == len(requests)
    assert {"uvicorn.error", "api.request"} <= {line["logger"] for line in lines}
    for private in (*PRIVATE, SECRET):
        assert private not in outcome.err + outcome.out


def test_people_are_told_less(database: TaskDatabase) -> None:
    with running("serve", "--port", "0", LOG_FORMAT="text", **settings_for(database)) as serve:
        sends_a_bunch(address_of(serve))
        outcome = serve.stops()
    assert re.search(
        r"^INFO:     - - GET /api/tasks/\{task_id\} 404 no-such-task \d+\.\d\d ms \S+$",
        outcome.err,
        re.MULTILINE,
    )
    assert all(re.match(r"(INFO|ERROR|WARNING): ", line) for line in outcome.err.splitlines()), (
        outcome.err
    )
    for private in PRIVATE:
        assert private not in outcome.err + outcome.out


@contextlib.contextmanager
def serving_with_stderr(stderr: int, database: TaskDatabase, **settings: str) -> Iterator[str]:
    """A server that logs there; its address."""
    with subprocess.Popen(
        [TASK_API, "serve", "--port", "0"],
        env=environment(**settings_for(database), **settings),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as serve:
        assert serve.stdout
        try:
            yield f"http://127.0.0.1:{serve.stdout.readline().split()[-1]}"
        finally:
            serve.terminate()
            serve.wait(PATIENCE)


@pytest.mark.parametrize(
    ("chosen", "form"), [("auto", "INFO: "), ("json", '{"time":'), ("text", "INFO: ")]
)
def test_on_a_terminal_it_is_for_people(database: TaskDatabase, chosen: str, form: str) -> None:
    here, there = pty.openpty()
    with serving_with_stderr(there, database, LOG_FORMAT=chosen) as address:
        os.close(there)
        assert httpx2.get(f"{address}/livez", timeout=PATIENCE).status_code == 200
    said = re.sub(r"\x1b\[\d+m", "", os.read(here, 65536).decode())  # less its colours
    os.close(here)
    assert said.startswith(form)
    assert "/livez" in said


def test_a_log_that_cannot_be_written_is_no_reason_not_to_serve(database: TaskDatabase) -> None:
    with (
        Path("/dev/full").open("w") as full,
        serving_with_stderr(full.fileno(), database) as address,
        httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        for _ in range(200):
            assert client.get("/api/tasks", timeout=PATIENCE).status_code == 200


def test_a_format_that_is_none_is_refused(database: TaskDatabase) -> None:
    line = run("serve", LOG_FORMAT="xml", **settings_for(database)).refusal()
    assert "LOG_FORMAT" in line
    assert "'auto', 'json' or 'text'" in line
