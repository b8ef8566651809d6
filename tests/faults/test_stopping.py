"""A server that is told to stop finishes what it has begun, in bounded time, and loses nobody."""

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.balancer import balancing
from tests.faults.cluster import Postgres, eventually
from tests.faults.crowd import is_asked_to_come_back
from tests.faults.processes import port_of, served, settings_for
from tests.faults.raw import raw
from tests.locks import held
from tests.loopback import free_port
from tests.people import SECRET, Person, signed
from tests.program import Running, running

LOCK: Final = "select 1 from task where user_id = %s and id = %s for update"
SLACK = 3.0  # seconds that a busy machine takes to end some processes

pytestmark = [pytest.mark.usefixtures("patient"), pytest.mark.slow]
one_or_two_workers = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def completes(person: Person, task_id: int) -> httpx2.Response:
    return person.http.patch(f"/api/tasks/{task_id}/complete", json={"completed": True})


def takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def ends(serve: Running, within: float) -> tuple[int, float]:
    """Its exit status, and how long it took from now."""
    begun = time.monotonic()
    return serve.process.wait(within), time.monotonic() - begun


@one_or_two_workers
def test_what_has_begun_is_finished_and_nothing_new_is_taken(
    postgres: Postgres, elsewhere: ThreadPoolExecutor, workers: str
) -> None:
    with served(postgres, "--workers", workers) as (serve, people):
        alice = people.person("alice")
        task = alice.creates()
        with held(postgres.database.superuser, LOCK, alice.id, task["id"]) as waiting:
            asking = elsewhere.submit(completes, alice, task["id"])
            waiting(1)
            serve.process.send_signal(signal.SIGTERM)
            eventually(lambda: not takes_connections(port_of(serve)), 1.5)
            assert not asking.done()
        response = asking.result()
        assert (response.status_code, response.json()["completed"]) == (200, True)
        assert response.headers["Connection"] == "close"
        assert ends(serve, SLACK)[0] == 0
        assert "Traceback" not in serve.err
    assert postgres.runs("select completed from task where id = %s", task["id"]) == [(True,)]
    eventually(lambda: postgres.backends() == 0)


@one_or_two_workers
def test_who_has_connected_already_is_served(postgres: Postgres, workers: str) -> None:
    with contextlib.ExitStack() as stack:
        serve, _ = stack.enter_context(served(postgres, "--workers", workers))
        processes = psutil.Process(serve.process.pid).children(recursive=True)
        processes.append(psutil.Process(serve.process.pid))
        address = f"http://127.0.0.1:{port_of(serve)}"
        for process in processes:  # so that they find all of it at once
            process.suspend()
        clients = [stack.enter_context(raw(address)) for _ in range(20)]
        for client in clients[:10]:
            client.sends("GET /readyz HTTP/1.1", "Host: localhost")
        serve.process.send_signal(signal.SIGTERM)
        for process in processes:
            process.resume()
        time.sleep(0.3)
        for client in clients[10:]:  # what they send is on its way when the server stops
            client.sends("GET /readyz HTTP/1.1", "Host: localhost")
        for client in clients:
            assert client.ends().status == 200
        assert ends(serve, SLACK)[0] == 0


@one_or_two_workers
def test_who_has_nothing_to_do_stops_at_once(postgres: Postgres, workers: str) -> None:
    with served(postgres, "--workers", workers) as (serve, people):
        idle = [people.person("alice") for _ in range(5)]
        for alice in idle:
            assert alice.lists() == []  # and the connection is kept
        assert postgres.backends() > 0
        serve.process.send_signal(signal.SIGTERM)
        status, took = ends(serve, 10)
        assert status == 0
        assert took < 1.5 + SLACK
        eventually(lambda: postgres.backends() == 0, 1)
        assert "Traceback" not in serve.err


@one_or_two_workers
def test_what_takes_too_long_is_cut(
    postgres: Postgres, elsewhere: ThreadPoolExecutor, workers: str
) -> None:
    with served(postgres, "--workers", workers, SHUTDOWN_TIMEOUT="1") as (serve, people):
        alice = people.person("alice")
        task = alice.creates()
        with held(postgres.database.superuser, "lock table task in access exclusive mode"):
            asking = elsewhere.submit(_outcome, alice, task["id"])
            eventually(lambda: _waits(postgres))
            serve.process.send_signal(signal.SIGTERM)
            status, took = ends(serve, 10)
            assert 0.9 < took < 1 + SLACK
            assert asking.result(timeout=1) in (503, None)  # long before the lock was
        assert status == 0
    assert postgres.runs("select completed from task where id = %s", task["id"]) == [(False,)]
    eventually(lambda: postgres.backends() == 0)


@one_or_two_workers
def test_who_does_not_read_is_cut_off_while_it_stops(postgres: Postgres, workers: str) -> None:
    settings = {"SHUTDOWN_TIMEOUT": "60", "WRITE_TIMEOUT": "1"}
    with served(postgres, "--workers", workers, **settings) as (serve, _):
        with raw(f"http://127.0.0.1:{port_of(serve)}", window=1 << 16) as client:
            client.writes(b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            time.sleep(0.5)  # the first answers are on their way
            serve.process.send_signal(signal.SIGTERM)
            status, _ = ends(serve, 30)
        assert status == 0


def _outcome(person: Person, task_id: int) -> int | None:
    try:
        response = completes(person, task_id)
    except httpx2.TransportError:
        return None
    is_asked_to_come_back(response)
    return response.status_code


def _waits(postgres: Postgres) -> bool:
    return bool(
        postgres.runs(
            "select 1 from pg_stat_activity where usename = 'task_app' and wait_event_type = 'Lock'"
        )
    )


@pytest.mark.parametrize(
    ("workers", "again"), [("1", signal.SIGINT), ("1", signal.SIGTERM), ("2", signal.SIGTERM)]
)
def test_a_second_signal_ends_it_at_once(
    postgres: Postgres, elsewhere: ThreadPoolExecutor, workers: str, again: signal.Signals
) -> None:
    with served(postgres, "--workers", workers, SHUTDOWN_TIMEOUT="60") as (serve, people):
        alice = people.person("alice")
        task = alice.creates()
        processes = [*psutil.Process(serve.process.pid).children(recursive=True)]
        with held(postgres.database.superuser, LOCK, alice.id, task["id"]) as waiting:
            asking = elsewhere.submit(_outcome, alice, task["id"])
            waiting(1)
            serve.process.send_signal(signal.SIGTERM)
            eventually(lambda: not takes_connections(port_of(serve)), 1.5)
            serve.process.send_signal(again)
            _, took = ends(serve, 10)
            assert took < SLACK
            asking.result(timeout=1)
        _, alive = psutil.wait_procs(processes, timeout=2)
        assert alive == []
    eventually(lambda: postgres.backends() == 0)


def test_a_worker_that_dies_is_replaced_while_another_serves(postgres: Postgres) -> None:
    with served(postgres, "--workers", "2") as (serve, people):
        parent = psutil.Process(serve.process.pid)
        before = _workers(parent, port_of(serve))
        assert len(before) == 2
        before[0].kill()
        before[0].wait(5)
        with ThreadPoolExecutor(20) as pool:
            asking = [pool.submit(_asks_once, people.base_url) for _ in range(20)]
            statuses = {one.result() for one in asking}
        assert statuses == {200}
        eventually(lambda: len(_workers(parent, port_of(serve))) == 2, 20)
        now = _workers(parent, port_of(serve))
        assert before[0] not in now
        assert before[1] in now


def _asks_once(address: str) -> int:
    with httpx2.Client(base_url=address, verify=False, timeout=20) as anybody:
        return anybody.get("/readyz").status_code


def _workers(parent: psutil.Process, port: int) -> list[psutil.Process]:
    """Those of its processes that take connections."""
    found = []
    for process in parent.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(
                c.laddr.port == port and c.status == "LISTEN" for c in process.net_connections()
            ):
                found.append(process)
    return found


REQUESTS = 500
PEOPLE = 4


@pytest.mark.slow
def test_a_rolling_restart_loses_no_request(postgres: Postgres) -> None:
    with contextlib.ExitStack() as stack:
        ports = [free_port(), free_port()]
        instances = [_instance(stack, postgres, port) for port in ports]
        balancer = stack.enter_context(balancing(ports))
        enough = threading.Event()
        pool = stack.enter_context(ThreadPoolExecutor(PEOPLE))
        stack.callback(enough.set)
        asking = [pool.submit(_asks_on, balancer.port, n, enough) for n in range(PEOPLE)]
        for number in (0, 1, 0, 1):
            outcome = instances[number].stops(signal.SIGTERM)
            assert outcome.code == 0, outcome
            instances[number] = _instance(stack, postgres, ports[number])
            assert not any(one.done() for one in asking), _failures(asking)
            time.sleep(0.2)
        enough.set()
        created = sum(one.result() for one in asking)
        assert created >= REQUESTS
        assert min(balancer.carried) > REQUESTS / 10
    ((rows,),) = postgres.runs("select count(*) from task where user_id like 'roller-%%'")
    assert rows == created


def _instance(stack: contextlib.ExitStack, postgres: Postgres, port: int) -> Running:
    serve = stack.enter_context(running("serve", "--port", str(port), **settings_for(postgres)))
    serve.says("serving")
    eventually(lambda: _is_ready(port), 20)
    return serve


def _is_ready(port: int) -> bool:
    with httpx2.Client(verify=False) as balancer:
        try:
            return balancer.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        except httpx2.TransportError:
            return False


def _asks_on(port: int, number: int, enough: threading.Event) -> int:
    """Creates tasks, each over a connection of its own; how many."""
    token = signed({"sub": f"roller-{number}"}, SECRET)
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    created = 0
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as http:
        while not enough.is_set():
            response = http.post("/api/tasks", json={"title": "Buy milk"})
            assert response.status_code == 201, response.text
            created += 1
    return created


def _failures(asking: list[Future[int]]) -> list[BaseException | None]:
    return [one.exception() for one in asking if one.done()]
