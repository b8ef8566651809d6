"""`task-api serve`, as a program of its own against a migrated database."""

import contextlib
import gc
import re
import signal
import socket

import httpx2
import psutil  # type: ignore[import-untyped]
import pytest

from tests.cluster import TaskDatabase
from tests.people import SECRET, signed
from tests.program import Running, run, running
from tests.server import people_of

TOKEN = signed({"sub": "alice-who-has-nothing"})


def settings_for(database: TaskDatabase) -> dict[str, str]:
    return {"DATABASE_URL": database.task_app, "BETTER_AUTH_SECRET": SECRET}


def port_of(serve: Running) -> int:
    found = re.search(r"port (\d+)", serve.says("port"))
    assert found
    return int(found[1])


def asks(serve: Running, path: str, host: str = "127.0.0.1") -> httpx2.Response:
    with httpx2.Client(timeout=20, headers={"Authorization": f"Bearer {TOKEN}"}) as alice:
        return alice.get(f"http://{host}:{port_of(serve)}{path}")


def test_it_answers_and_stops_on_sigterm(database: TaskDatabase) -> None:
    with running("serve", "--port", "0", **settings_for(database)) as serve:
        assert asks(serve, "/readyz").status_code == 200
        assert asks(serve, "/api/tasks").json() == []
        assert asks(serve, "/api/tasks?title=hush-hush").status_code == 422
        outcome = serve.stops(signal.SIGTERM)
    assert outcome.code == 0, outcome
    assert '"method":"GET","route":"/api/tasks","status":422' in outcome.err
    for private in ("hush-hush", TOKEN, SECRET):
        assert private not in outcome.err + outcome.out
    assert "Traceback" not in outcome.err


def test_what_requests_leave_behind_is_collected(database: TaskDatabase) -> None:
    with people_of(database) as people:
        assert people.person("alice").lists() == []
        assert gc.isenabled()
    assert gc.isenabled()


def test_two_workers_answer_and_both_stop(database: TaskDatabase) -> None:
    with running("serve", "--workers", "2", "--port", "0", **settings_for(database)) as serve:
        assert asks(serve, "/api/tasks").json() == []
        workers = psutil.Process(serve.process.pid).children(recursive=True)
        assert len(workers) >= 2
        outcome = serve.stops(signal.SIGTERM)
        _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []
    assert outcome.code == 0, outcome
    assert "Traceback" not in outcome.err


def test_two_workers_share_the_connections(database: TaskDatabase) -> None:
    with (
        running("serve", "--workers", "2", "--port", "0", **settings_for(database)) as serve,
        contextlib.ExitStack() as connections,
    ):
        here = ("127.0.0.1", port_of(serve))
        for _ in range(200):
            connection = connections.enter_context(socket.create_connection(here))
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in connection.recv(4096)
        counts = [
            sum(c.laddr == here and c.status == "ESTABLISHED" for c in worker.net_connections())
            for worker in psutil.Process(serve.process.pid).children(recursive=True)
        ]
        serve.stops(signal.SIGTERM)
    busy = sorted(count for count in counts if count)
    assert len(busy) == 2
    assert sum(busy) == 200
    assert busy[0] >= 60  # of fair coins, one in 10^8 falls further from 100


def test_a_port_is_not_shared_with_another_server(database: TaskDatabase) -> None:
    with running("serve", "--workers", "2", "--port", "0", **settings_for(database)) as serve:
        port = str(port_of(serve))
        for workers in ("1", "2"):
            other = run("serve", "--workers", workers, "--port", port, **settings_for(database))
            assert "in use" in other.refusal()


def test_ctrl_c_is_no_traceback(database: TaskDatabase) -> None:
    with running("serve", "--port", "0", **settings_for(database)) as serve:
        assert asks(serve, "/livez").status_code == 200
        outcome = serve.stops(signal.SIGINT)
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


def test_it_listens_where_it_is_told_to(database: TaskDatabase) -> None:
    with running("serve", "--host", "::1", "--port", "0", **settings_for(database)) as serve:
        assert asks(serve, "/livez", host="[::1]").status_code == 200


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (["--port", "{taken}"], "in use"),
        (["--port", "65536"], "not a number from 0 to 65535"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
    ],
)
def test_an_address_that_cannot_be_had_is_one_line(
    database: TaskDatabase, place: list[str], reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = [word.format(taken=port) for word in place]
        line = run("serve", *arguments, **settings_for(database)).refusal()
    assert reason in line
    assert "choose another" in line
