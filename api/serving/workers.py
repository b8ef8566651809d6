"""Several processes that serve on one address, each of them replaced when it dies."""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import connection
from typing import Any, Final, final

from api.serving.listener import bound
from api.serving.server import CannotStart, Config, Server
from api.settings import SettingsError

_AGAIN: Final = 1.0  # seconds until a process that could not start is started again
_FAREWELL: Final = 5.0  # seconds that a process may need beyond its time to stop

_log = logging.getLogger(__name__)


@final
class Workers:
    """Processes that share an address evenly.

    From one socket a process takes all the connections it finds, and who comes to the busier one
    waits. So each has a socket of its own, between which the kernel divides them (socket(7),
    SO_REUSEPORT). It listens once its process serves, and not any more when that has died.
    """

    def __init__(self, config: Config, host: str, port: int) -> None:
        """Raises `SettingsError` when the address cannot be had."""
        self._config = config
        self._address = bound(host, port)  # nobody else's; it does not listen
        self._address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.port: Final[int] = self._address.getsockname()[1]
        self._signals: list[int] = []

    def run(self, started: Callable[[], None]) -> None:
        """Serve until SIGTERM or Ctrl-C, and call `started` once all of them serve.

        Raises `CannotStart`, and `KeyboardInterrupt` after Ctrl-C.
        """
        with self._address, self._woken_by_signals() as woken:
            workers = [self._another() for _ in range(self._config.workers)]
            try:
                for worker in workers:
                    worker.wait_until_serving(woken)
                if not self._signals:
                    started()
                while not self._signals:
                    self._keep(workers, woken)
            finally:
                self._stop(workers, woken)
        if signal.SIGINT in self._signals:
            raise KeyboardInterrupt

    def _keep(self, workers: list["_Worker"], woken: socket.socket) -> None:
        connection.wait([woken, *(one.sentinel for one in workers if one.is_alive())], _AGAIN)
        for number, worker in enumerate(workers):
            if not worker.is_alive() and worker.may_be_replaced():
                _log.warning(
                    "process %s %s; another one takes its place", worker.pid, worker.ending
                )
                workers[number] = self._another()

    def _another(self) -> "_Worker":
        with socket.socket(self._address.family) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(self._address.getsockname())
            return _Worker(self._config, shared)

    def _stop(self, workers: list["_Worker"], woken: socket.socket) -> None:
        told = 0
        deadline = time.monotonic() + (self._config.timeout_graceful_shutdown or 0) + _FAREWELL
        while alive := [one for one in workers if one.is_alive()]:
            if told < max(len(self._signals), 1):
                told += 1
                for one in alive:
                    one.terminate()
            if time.monotonic() > deadline:
                for one in alive:
                    one.kill()
            with contextlib.suppress(BlockingIOError):
                woken.recv(64)
            connection.wait([woken, *(one.sentinel for one in alive)], _AGAIN)

    @contextlib.contextmanager
    def _woken_by_signals(self) -> Any:
        woken, waker = socket.socketpair()
        with woken, waker:
            for end in (woken, waker):
                end.setblocking(False)
            signal.set_wakeup_fd(waker.fileno())
            try:
                for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    signal.signal(sign, lambda sign, _: self._signals.append(sign))
                yield woken
            finally:
                signal.set_wakeup_fd(-1)


class _Worker:
    """A process that serves; it stops by itself when this one is gone."""

    def __init__(self, config: Config, address: socket.socket) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve, args=(config, address, theirs))
        self._process.start()
        theirs.close()
        self._begun = time.monotonic()
        self._served = False
        self._reason = "it has said why"
        self.pid, self.sentinel = self._process.pid, self._process.sentinel
        self.is_alive, self.kill = self._process.is_alive, self._process.kill
        self.terminate = self._process.terminate

    def wait_until_serving(self, woken: socket.socket) -> None:
        """Until it serves, or somebody is `woken`. Raises `CannotStart`."""
        if woken not in connection.wait([self._pipe, woken]):
            self._read()
            if not self._served:
                raise CannotStart(f"a process {self.ending}")

    def may_be_replaced(self) -> bool:
        """At once if it has served; or else not too often."""
        self._read()
        return self._served or time.monotonic() - self._begun > _AGAIN

    @property
    def ending(self) -> str:
        """How it ended, once it may be replaced."""
        return "has died" if self._served else f"could not start: {self._reason}"

    def _read(self) -> None:
        """What it says first: None that it serves, or why it cannot. It may end without a word,
        and its end of the pipe is closed before it has died."""
        if self._served:
            return
        try:
            said = self._pipe.recv()
        except (EOFError, OSError):
            return
        self._served = said is None
        self._reason = said or self._reason


def _serve(config: Config, address: socket.socket, supervisor: connection.Connection) -> None:
    os.setsid()  # Ctrl-C is for the supervisor, which tells everybody
    signal.signal(signal.SIGTERM, lambda *_: None)
    config.configure_logging()

    def started() -> None:
        supervisor.send(None)
        asyncio.get_running_loop().add_reader(supervisor.fileno(), left_alone)

    def left_alone() -> None:
        server.should_exit = True

    server = Server(config, started)
    try:
        server.run([address])
    except SettingsError as error:
        supervisor.send(str(error))
        sys.exit(1)
    except CannotStart:  # what it has to say is in the log
        sys.exit(1)
