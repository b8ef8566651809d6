"""What Prometheus is told: one page for all processes, and no more names than are known."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.database import errors
from api.http.problems import Kind
from api.tasks.schemas import MAX_ID
from api.version import VERSION
from tests.bunch import PRIVATE, sends_a_bunch
from tests.cluster import TaskDatabase
from tests.keyserver import Issuer
from tests.people import SECRET, signed
from tests.program import PATIENCE, Running, environment, run, running
from tests.redis import redis

pytestmark = pytest.mark.slow

BEARER = {"Authorization": f"Bearer {signed({'sub': 'alice'})}"}


class Watched:
    """A server, and what it says of itself."""

    def __init__(self, serve: Running) -> None:
        self.serve = serve
        said = serve.says("serving on")
        self.address, self.page_address = (
            f"http://127.0.0.1:{re.search(rf'{words} port ([0-9]+)', said)[1]}"  # type: ignore[index]
            for words in (r"serving on \S+", r"metrics on \S+")
        )

    def asks(self, path: str, headers: dict[str, str] = BEARER, method: str = "GET") -> int:
        # a connection of its own, so that the processes share; no TLS, so no context for it
        with httpx2.Client(timeout=PATIENCE, headers=headers, verify=False) as client:
            return client.request(method, self.address + path).status_code

    def page(self) -> str:
        return httpx2.get(f"{self.page_address}/metrics", timeout=20, verify=False).text

    def counts(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The samples of this name, by their labels of these names."""
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for family in text_string_to_metric_families(self.page())
            for sample in family.samples
            if sample.name == f"task_api_{name}"
        }

    def comes_to(self, expected: object, name: str, *labels: str) -> None:
        """Gauges are looked at once a second."""
        eventually(lambda: self.counts(name, *labels) == expected, lambda: self.page())

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.serve.process.pid).children()
        return [child for child in children if child.net_connections("tcp")]


def eventually(condition: Callable[[], bool], else_: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, else_()
        time.sleep(0.1)


@contextlib.contextmanager
def watched(database: TaskDatabase, *arguments: str, **settings: str) -> Iterator[Watched]:
    given = {"BETTER_AUTH_SECRET": SECRET} if "AUTH_JWKS_URL" not in settings else {}
    given |= {"DATABASE_URL": database.task_app, "METRICS_PORT": "0"} | settings
    with running("serve", "--port", "0", *arguments, **given) as serve:
        yield Watched(serve)


def test_requests_of_all_processes_are_counted_once(database: TaskDatabase) -> None:
    with watched(database, "--workers", "2") as api:
        with ThreadPoolExecutor(8) as clients:
            assert set(clients.map(api.asks, ["/api/tasks"] * 60)) == {200}
        assert api.asks(f"/api/tasks/{MAX_ID}") == api.asks("/api/tasks/0") == 404
        assert api.asks("/api/tasks/7", method="POST") == 405
        assert api.counts("requests_total", "method", "route", "status") == {
            ("GET", "/api/tasks", "200"): 60,
            ("GET", "/api/tasks/{task_id}", "404"): 2,
            ("POST", "/api/tasks/{task_id}", "405"): 1,
        }
        durations = "request_duration_seconds"
        assert api.counts(f"{durations}_count", "method", "route") == {
            ("GET", "/api/tasks"): 60,
            ("GET", "/api/tasks/{task_id}"): 2,
            ("POST", "/api/tasks/{task_id}"): 1,
        }
        assert 0 < api.counts(f"{durations}_sum", "method", "route")["GET", "/api/tasks"] < 60
        transactions = "database_duration_seconds"  # an id that cannot be is looked up by nobody
        assert api.counts(f"{transactions}_count", "method", "route") == {
            ("GET", "/api/tasks"): 60,
            ("GET", "/api/tasks/{task_id}"): 1,
        }
        whole, database_s = (
            api.counts(f"{name}_sum", "method", "route") for name in (durations, transactions)
        )
        for route, seconds in database_s.items():
            assert 0 < seconds < whole[route]
        buckets = api.counts(f"{durations}_bucket", "method", "route", "le")
        assert buckets["GET", "/api/tasks", "+Inf"] == 60
        problems = {(kind.slug,): 0.0 for kind in Kind}
        problems |= {("no-such-task",): 2, ("method-not-allowed",): 1}
        assert api.counts("problems_total", "problem") == problems


def test_a_worker_that_dies_takes_no_count_with_it_and_leaves_no_gauge(
    database: TaskDatabase,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with watched(database, "--workers", "2", TMPDIR=folder) as api:
            for _ in range(2):
                with ThreadPoolExecutor(8) as clients:
                    assert set(clients.map(api.asks, ["/api/tasks"] * 20)) == {200}
                api.comes_to({(): 2}, "workers")
                before = api.counts("requests_total", "route")
                workers = api.workers()
                for worker in workers:
                    worker.kill()
                gone, _ = psutil.wait_procs(workers, timeout=PATIENCE)
                assert len(gone) == 2
                eventually(lambda: len(api.workers()) == 2, api.page)
                assert api.asks("/livez") == 200
                assert (
                    api.counts("requests_total", "route")[("/api/tasks",)]
                    == before[("/api/tasks",)]
                )
            assert api.counts("requests_total", "route")[("/api/tasks",)] == 40
            assert api.counts("request_duration_seconds_count", "route")[("/api/tasks",)] == 40
            api.comes_to({(): 2}, "workers")
            api.comes_to({("in_use",): 0, ("idle",): 2}, "pool_connections", "state")
            files = [file.name for file in Path(folder).glob("*/*.db")]
            assert len({name.rpartition("_")[2] for name in files}) == 3, files  # and nobody's
            api.serve.stops(signal.SIGTERM)
        assert list(Path(folder).iterdir()) == []


def test_the_pool_is_seen_full_and_empty(own_database: TaskDatabase) -> None:
    with (
        watched(own_database, POOL_SIZE="1", POOL_TIMEOUT="60") as api,
        ThreadPoolExecutor(3) as clients,
    ):
        api.comes_to({("in_use",): 0, ("idle",): 1}, "pool_connections", "state")
        with psycopg.connect(own_database.owner) as owner:
            owner.execute("lock table task")
            answers = [clients.submit(api.asks, "/api/tasks") for _ in range(3)]
            api.comes_to({("in_use",): 1, ("idle",): 0}, "pool_connections", "state")
            api.comes_to({(): 2}, "pool_waiting")
        assert {answer.result() for answer in answers} == {200}
        api.comes_to({("in_use",): 0, ("idle",): 1}, "pool_connections", "state")
        api.comes_to({(): 0}, "pool_waiting")


def test_what_the_database_refuses_is_counted_by_its_sqlstate(own_database: TaskDatabase) -> None:
    with watched(own_database, "--workers", "2") as api:
        nothing = {(label,): 0.0 for label in errors.LABELS}
        assert api.counts("database_errors_total", "sqlstate") == nothing
        with psycopg.connect(own_database.owner) as owner:
            owner.execute("lock table task")
            assert api.asks("/api/tasks") == 503
        with psycopg.connect(own_database.owner, autocommit=True) as owner:
            owner.execute("revoke select on task from task_app")
            assert [api.asks("/api/tasks") for _ in range(3)] == [500] * 3
            owner.execute("alter table task rename to elsewhere")
            assert api.asks("/api/tasks") == 500
        counted = nothing | {("55P03",): 1, ("42501",): 3, ("42",): 1}
        assert api.counts("database_errors_total", "sqlstate") == counted


def test_a_database_that_is_away_is_counted_without_a_sqlstate(own_database: TaskDatabase) -> None:
    with watched(own_database, DATABASE_URL=own_database.direct) as api:
        assert api.asks("/api/tasks") == 200
        with own_database.shut():
            assert api.asks("/api/tasks") == 503
        counted = api.counts("database_errors_total", "sqlstate")
        assert counted[("28",)] == 1
        assert sum(counted.values()) <= 2  # the connection was lost, too, if it was tried


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_version_is_told(database: TaskDatabase, workers: str) -> None:
    with watched(database, "--workers", workers) as api:
        api.comes_to({(VERSION,): 1}, "build_info", "version")


def test_a_shared_count_is_seen_to_go_and_to_come_back(database: TaskDatabase) -> None:
    with (
        redis() as a_redis,
        watched(
            database,
            *("--workers", "2"),
            RATE_LIMIT_STORAGE=a_redis.url,
            RATE_LIMIT_STORAGE_TIMEOUT="5",
        ) as api,
    ):
        api.comes_to({(): 1}, "rate_limit_storage_up")
        a_redis.goes()
        api.comes_to({(): 0}, "rate_limit_storage_up")
        assert api.asks("/api/tasks") == 200
        a_redis.comes()
        api.comes_to({(): 1}, "rate_limit_storage_up")
        said = [json.loads(line).get("message") for line in api.serve.err.splitlines()]
    assert (
        "Redis is away, each process counts by itself: ConnectionError: Connection refused" in said
    )
    assert "Redis is back, the counts are shared" in said


def test_without_a_shared_count_there_is_nothing_to_see(database: TaskDatabase) -> None:
    with watched(database) as api:
        api.comes_to({(): 1}, "workers")
        assert api.counts("rate_limit_storage_up") == {}


def test_the_key_set_is_seen_to_grow_old_and_to_be_fetched(
    database: TaskDatabase, issuer: Issuer
) -> None:
    issuer.makes_key("one")
    with watched(database, **issuer.settings) as api:
        issuer.status = 500
        bearer = {"Authorization": f"Bearer {issuer.signs('one')}"}
        assert api.asks("/api/tasks", bearer) == 503
        api.comes_to({("fetched",): 0, ("failed",): 1}, "key_set_fetches_total", "outcome")
        assert api.counts("key_set_age_seconds") == {}
        issuer.status = 200
        eventually(lambda: api.asks("/api/tasks", bearer) == 200, api.page)
        api.comes_to({("fetched",): 1, ("failed",): 1}, "key_set_fetches_total", "outcome")
        eventually(lambda: 1 < api.counts("key_set_age_seconds")[()] < PATIENCE, api.page)


@pytest.mark.evidence("log-forgery")
def test_nothing_private_is_told_and_no_name_is_a_clients(database: TaskDatabase) -> None:
    with watched(database) as api:
        sent = sends_a_bunch(api.address)
        for number in range(20):
            api.asks(f"/wp-{number}.php")
            api.asks(f"/api/tasks/{number}{'x' * number}")
        page = api.page()
        requests = api.counts("requests_total", "method", "route", "status")
    assert sum(requests.values()) == sent + 2 + 40
    assert {method for method, _, _ in requests} <= {
        *("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"),
    }
    assert {route for _, route, _ in requests} == {
        *("/api/tasks", "/api/tasks/{task_id}", "/api/tasks/bulk", "/readyz", "none"),
    }
    for private in PRIVATE:
        assert private not in page


def test_the_page_is_on_its_own_port_alone(database: TaskDatabase) -> None:
    with watched(database) as api:
        assert api.asks("/metrics") == 404
        assert api.serve.out.startswith("metrics on 127.0.0.1 port ")
        (port,) = {int(api.page_address.rpartition(":")[2])}
        listening = psutil.Process(api.serve.process.pid).net_connections("tcp")
        assert {one.laddr.ip for one in listening if one.laddr.port == port} == {"127.0.0.1"}


def test_the_page_is_where_it_is_told_to_be(database: TaskDatabase) -> None:
    with running(
        *("serve", "--port", "0"),
        METRICS_HOST="::1",
        METRICS_PORT="0",
        DATABASE_URL=database.task_app,
        BETTER_AUTH_SECRET=SECRET,
    ) as serve:
        found = re.search(r"metrics on ::1 port (\d+)", serve.says("serving"))
        assert found
        assert httpx2.get(f"http://[::1]:{found[1]}/metrics").status_code == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_one_line(database: TaskDatabase, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = run(
            *("serve", "--port", "0", "--workers", workers),
            METRICS_PORT=str(taken.getsockname()[1]),
            DATABASE_URL=database.task_app,
            BETTER_AUTH_SECRET=SECRET,
        ).refusal()
    assert "METRICS_PORT: cannot listen on 127.0.0.1 port" in line
    assert "in use" in line


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "x" * 64])
def test_a_host_that_is_none_of_this_machine_is_one_line(database: TaskDatabase, host: str) -> None:
    line = run(
        *("serve", "--port", "0"),
        METRICS_PORT="0",
        METRICS_HOST=host,
        DATABASE_URL=database.task_app,
        BETTER_AUTH_SECRET=SECRET,
    ).refusal()
    assert f"METRICS_HOST: cannot listen on {host} port 0 (" in line


@pytest.mark.parametrize("port", ["harbour", "65536", "-1"])
def test_what_is_no_port_is_refused(database: TaskDatabase, port: str) -> None:
    settings = {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}
    assert "METRICS_PORT" in run("serve", METRICS_PORT=port, **settings).refusal()


def test_what_is_off_is_not_even_loaded(database: TaskDatabase) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, api.main, api.cli, api.observability.exporter; "
            "api.main.from_environment(); "
            "print({'prometheus_client', 'opentelemetry.sdk', 'requests'} & set(sys.modules))",
        ],
        env=environment(DATABASE_URL=database.task_app, BETTER_AUTH_SECRET=SECRET),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.strip() == "set()"
