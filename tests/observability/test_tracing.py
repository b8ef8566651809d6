"""What OpenTelemetry is told: two spans a request, sent to a real collector, and nobody's data."""

import json
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator

import httpx2
import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from api.cli import main
from api.tasks.schemas import MAX_ID
from tests.bunch import PRIVATE, TOKEN, sends_a_bunch
from tests.cluster import TaskDatabase
from tests.collector import Collector, attributes, collecting
from tests.forked import Outcome
from tests.people import SECRET
from tests.problems import MARK
from tests.program import Running, run, running

pytestmark = pytest.mark.slow

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SERVE = ("serve", "--port", "0")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def settings_for(database: TaskDatabase, collector: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database.task_app,
        "BETTER_AUTH_SECRET": SECRET,
        ENDPOINT: collector,
    }


def address_of(serve: Running) -> str:
    found = re.search(r"serving on \S+ port (\d+)", serve.says("serving on"))
    assert found
    return f"http://127.0.0.1:{found[1]}"


def asks(address: str, path: str, **headers: str) -> int:
    return httpx2.get(address + path, headers=BEARER | headers, verify=False).status_code


def of_kind(spans: list[Span], kind: "Span.SpanKind.ValueType") -> list[Span]:
    return [span for span in spans if span.kind == kind]


def test_a_request_is_a_span_and_its_transaction_another(
    database: TaskDatabase, collector: Collector
) -> None:
    before = time.time_ns()
    with running(*SERVE, **settings_for(database, collector.url)) as serve:
        address = address_of(serve)
        assert asks(address, f"/api/tasks/{MAX_ID}", traceparent=f"00-{TRACE}-{CALLER}-01") == 404
        serve.stops()
    request, transaction = sorted(collector.spans, key=lambda span: span.kind)
    assert collector.paths == ["/v1/traces"]
    assert request.name == "GET /api/tasks/{task_id}"
    assert request.kind == Span.SPAN_KIND_SERVER
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, CALLER)
    assert attributes(request.attributes) == {
        "http.request.method": "GET",
        "http.route": "/api/tasks/{task_id}",
        "http.response.status_code": 404,
    }
    assert request.status.code == Status.STATUS_CODE_UNSET
    assert transaction.name == "postgresql"
    assert transaction.kind == Span.SPAN_KIND_CLIENT
    assert transaction.trace_id == request.trace_id
    assert transaction.parent_span_id == request.span_id
    assert attributes(transaction.attributes) == {"db.system.name": "postgresql"}
    moments = [
        before,
        request.start_time_unix_nano,
        transaction.start_time_unix_nano,
        transaction.end_time_unix_nano,
        request.end_time_unix_nano,
        time.time_ns(),
    ]
    assert moments == sorted(moments)
    assert not request.trace_state
    (resource,) = collector.resources
    assert (resource["service.name"], resource["service.version"]) == ("task-api", "0.1.0")


def test_a_request_that_belongs_to_no_trace_begins_one_that_the_log_names(
    database: TaskDatabase, collector: Collector
) -> None:
    with running(*SERVE, **settings_for(database, collector.url)) as serve:
        address = address_of(serve)
        assert asks(address, "/livez", traceparent="00-nonsense") == 200
        assert asks(address, f"/{MARK}") == 404
        outcome = serve.stops()
    live, nowhere = collector.spans
    assert (live.name, nowhere.name) == ("GET /livez", "GET")
    assert "http.route" not in attributes(nowhere.attributes)
    assert not live.parent_span_id
    assert live.trace_id != nowhere.trace_id
    logged = [json.loads(line) for line in outcome.err.splitlines()]
    traces = [line["trace_id"] for line in logged if line["logger"] == "api.request"]
    assert traces == [live.trace_id.hex(), nowhere.trace_id.hex()]


def test_what_the_caller_does_not_record_is_not_recorded(
    database: TaskDatabase, collector: Collector
) -> None:
    with running(*SERVE, **settings_for(database, collector.url)) as serve:
        address = address_of(serve)
        assert asks(address, "/api/tasks", traceparent=f"00-{TRACE}-{CALLER}-00") == 200
        outcome = serve.stops()
    assert collector.spans == []
    assert f'"trace_id":"{TRACE}"' in outcome.err


def test_a_failure_of_the_server_is_an_error_and_its_database_is_seen(
    own_database: TaskDatabase, collector: Collector
) -> None:

    with running(*SERVE, **settings_for(own_database, collector.url)) as serve:
        address = address_of(serve)
        assert asks(address, "/livez") == 200  # it serves: the table is taken away from under it
        with psycopg.connect(own_database.owner) as owner:
            owner.execute("alter table task rename to elsewhere")
        assert asks(address, "/api/tasks") == 500
        serve.stops()
    _, request = of_kind(collector.spans, Span.SPAN_KIND_SERVER)
    assert request.status.code == Status.STATUS_CODE_ERROR
    assert attributes(request.attributes)["error.type"] == "internal-error"
    assert len(of_kind(collector.spans, Span.SPAN_KIND_CLIENT)) == 1


def test_all_workers_send_theirs_before_they_end_and_nothing_private(
    database: TaskDatabase, collector: Collector
) -> None:
    with running(*SERVE, "--workers", "2", **settings_for(database, collector.url)) as serve:
        address = address_of(serve)
        sent = sum(sends_a_bunch(address) for _ in range(2))
        for _ in range(20):  # by connections of their own: one for each at least
            asks(address, "/livez")
        serve.stops(signal.SIGTERM)
    spans = collector.spans
    assert len(of_kind(spans, Span.SPAN_KIND_SERVER)) == sent + 20 + 4
    assert len(collector.bodies) >= 2
    everything = b"".join(collector.bodies)
    for private in (*PRIVATE, SECRET):
        assert private.encode() not in everything
    for word in (b"select", b"insert", b"app.user_id", b"task_app", b"127.0.0.1"):
        assert word not in everything.lower()


def test_names_and_addresses_are_as_its_own_variables_say(
    database: TaskDatabase, collector: Collector
) -> None:
    settings = settings_for(database, "http://127.0.0.1:1") | {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/mine",
        "OTEL_SERVICE_NAME": "tasks-eu",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    with running(*SERVE, **settings) as serve:
        asks(address_of(serve), "/livez")
        serve.stops()
    assert collector.paths == ["/mine"]
    (resource,) = collector.resources
    assert resource["service.name"] == "tasks-eu"
    assert resource["deployment.environment.name"] == "test"


@pytest.mark.parametrize("away", ["nobody listens", "it fails"])
def test_a_collector_that_is_away_holds_nothing_up(
    database: TaskDatabase, collector: Collector, away: str
) -> None:
    collector.status = 503
    url = collector.url if away == "it fails" else "http://127.0.0.1:1"
    settings = settings_for(database, url) | {"OTEL_EXPORTER_OTLP_TIMEOUT": "60"}
    with running(*SERVE, **settings) as serve:
        address = address_of(serve)
        assert asks(address, "/api/tasks") == 200
        process = psutil.Process(serve.process.pid)
        began = time.monotonic()
        outcome = serve.stops(signal.SIGTERM)
        assert time.monotonic() - began < 20
        assert not process.is_running()
    said = [json.loads(line) for line in outcome.err.splitlines()]
    assert any("exporting" in line["message"] for line in said if "opentelemetry" in line["logger"])
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(("seconds", "waits"), [("0.3", False), ("5", True)])
def test_the_last_spans_may_take_as_long_as_the_operator_says(
    database: TaskDatabase, seconds: str, waits: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = settings_for(database, url) | {
            "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
            "SPAN_FLUSH_TIMEOUT": seconds,
            "DRAIN_TIMEOUT": "0",
        }
        with running(*SERVE, **settings) as serve:
            assert asks(address_of(serve), "/livez") == 200
            began = time.monotonic()
            assert serve.stops(signal.SIGTERM).code == 0
            assert (time.monotonic() - began > 4.5) == waits


def test_the_standard_switch_turns_it_off(database: TaskDatabase, collector: Collector) -> None:
    settings = settings_for(database, collector.url) | {"OTEL_SDK_DISABLED": "true"}
    with running(*SERVE, **settings) as serve:
        assert asks(address_of(serve), "/api/tasks") == 200
        outcome = serve.stops()
    assert collector.paths == []
    assert "trace_id" not in outcome.err


@pytest.mark.parametrize("variable", [ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_without_the_package_it_says_how_to_get_it(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database: TaskDatabase,
    variable: str,
) -> None:
    for name, value in settings_for(database, "").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(variable, "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    line = Outcome(main(["serve"]), *capfd.readouterr()).refusal()
    assert f"{variable} is set, which needs: pip install 'task-api[otel]'" in line


@pytest.mark.parametrize(
    ("variable", "value"),
    [(ENDPOINT, "collector:4318"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
)
def test_a_collector_that_cannot_be_spoken_to_is_refused(
    database: TaskDatabase, variable: str, value: str
) -> None:
    settings = settings_for(database, "http://127.0.0.1:4318") | {variable: value}
    assert variable in run(*SERVE, **settings).refusal()
