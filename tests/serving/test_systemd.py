"""What systemd is told, as a unit of Type=notify: that the server is ready, and that it stops."""

import secrets
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import TaskDatabase
from tests.commands.test_serve import asks, settings_for
from tests.program import PATIENCE, running


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The socket of a service manager, and what it puts into NOTIFY_SOCKET."""
    name = f"task-api-{secrets.token_hex(8)}" if "abstract" in request.param else ""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}" if name else str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        yield listening, f"@{name}" if name else str(tmp_path / "notify")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_systemd_is_told_when_it_serves_and_when_it_stops(
    manager: tuple[socket.socket, str], workers: str, database: TaskDatabase
) -> None:
    listening, address = manager
    command = ("serve", "--port", "0", "--workers", workers)
    with running(*command, NOTIFY_SOCKET=address, **settings_for(database)) as serve:
        assert listening.recv(99) == b"READY=1"
        assert "serving on" in serve.out
        assert asks(serve, "/readyz").status_code == 200
        assert serve.stops(signal.SIGTERM).code == 0
    assert listening.recv(99) == b"STOPPING=1"
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):  # a worker process has nothing to say
        listening.recv(99)


def test_nobody_at_the_socket_is_no_hindrance(tmp_path: Path, database: TaskDatabase) -> None:
    nobody = {"NOTIFY_SOCKET": str(tmp_path / "nobody")}
    with running("serve", "--port", "0", **nobody, **settings_for(database)) as serve:
        assert asks(serve, "/livez").status_code == 200
        assert serve.stops(signal.SIGTERM).code == 0


def test_a_server_that_does_not_start_is_not_ready(
    manager: tuple[socket.socket, str], database: TaskDatabase
) -> None:
    listening, address = manager
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = ("serve", "--port", port)
        with running(*command, NOTIFY_SOCKET=address, **settings_for(database)) as serve:
            assert serve.process.wait(PATIENCE) == 1
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(99)
