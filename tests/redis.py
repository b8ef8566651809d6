"""A Redis server for a test, which can stop, hang and restart."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests import wanted
from tests.loopback import free_port

PASSWORD: Final = "the password of the tests"
_PATIENCE: Final = 10  # seconds


class Redis:
    """A Redis on a port of its own, by the URL of who knows the password. `options`: more of them
    for the program."""

    def __init__(self, *options: str) -> None:
        program = wanted.program("redis-server")
        self._port = free_port()
        self._command = [
            *(program, "-", "--port", str(self._port), "--bind", "127.0.0.1"),
            *("--save", "", "--requirepass", PASSWORD, *options),
        ]
        self.url = f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def speaks_tls(self, certificate: Path, key: Path) -> None:
        """From its next start on, with this certificate, at `url`."""
        self._command += [
            *("--port", "0", "--tls-port", str(self._port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
            *("--tls-ca-cert-file", str(certificate)),
        ]
        self.url = self.url.replace("redis://", "rediss://").replace("127.0.0.1", "localhost")

    def comes(self) -> None:
        """It starts, and remembers nothing."""
        self._process = process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self._port)).close()
                return
            assert process.poll() is None, "redis-server did not start"
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.01)

    def goes(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    def hangs(self) -> None:
        """Its port is open still, and nobody answers there."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


@contextlib.contextmanager
def redis(*options: str) -> Iterator[Redis]:
    """One that is there, until the block ends."""
    redis = Redis(*options)
    try:
        redis.comes()
        yield redis
    finally:
        redis.goes()
