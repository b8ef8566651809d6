"""Worker processes on one port, and their supervisor, which replaces those that die."""

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

RESTART_INTERVAL: Final = 1.0  # seconds until a worker that could not start is replaced

_log = logging.getLogger(__name__)


@final
class Workers:
    """The supervisor of worker processes that share a port evenly.

    With a shared socket a worker accepts all connections it finds, and those of a busy worker
    wait. So each has its own socket, and the kernel distributes connections between them
    (socket(7), SO_REUSEPORT). It listens once its worker serves, and closes when that dies.
    """

    def __init__(self, config: Config, host: str, port: int) -> None:
        """Raises `SettingsError` when it cannot bind to the port."""
        self._config = config
        self._address = bound(host, port)  # reserves the port; it does not listen
        self._address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.port: Final[int] = self._address.getsockname()[1]
        self._signals: list[int] = []

    def run(self, started: Callable[[], None], stopping: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM or Ctrl-C. Calls `started` once all of them serve, then `stopping`.

        Raises `CannotStart`, and `KeyboardInterrupt` after Ctrl-C.
        """
        with self._address, self._woken_by_signals() as woken:
            workers = [self._start_worker() for _ in range(self._config.workers)]
            try:
                for worker in workers:
                    worker.wait_until_serving(woken)
                if not self._signals:
                    started()
                while not self._signals:
                    self._replace_dead(workers, woken)
            finally:
                stopping()
                self._stop(workers, woken)
        if signal.SIGINT in self._signals:
            raise KeyboardInterrupt

    def _replace_dead(self, workers: list["_Worker"], woken: socket.socket) -> None:
        sentinels = [one.sentinel for one in workers if one.is_alive()]
        connection.wait([woken, *sentinels], RESTART_INTERVAL)
        for number, worker in enumerate(workers):
            if not worker.is_alive() and worker.may_be_replaced():
                _log.warning(
                    "process %s %s; another one takes its place", worker.pid, worker.ending
                )
                workers[number] = self._start_worker()

    def _start_worker(self) -> "_Worker":
        with socket.socket(self._address.family) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(self._address.getsockname())
            return _Worker(self._config, shared)

    def _stop(self, workers: list["_Worker"], woken: socket.socket) -> None:
        notified = 0
        deadline = time.monotonic() + self._config.worker_stop_timeout
        while alive := [one for one in workers if one.is_alive()]:
            if notified < max(len(self._signals), 1):
                notified += 1
                for one in alive:
                    one.terminate()
            if time.monotonic() > deadline:
                for one in alive:
                    one.kill()
            with contextlib.suppress(BlockingIOError):
                woken.recv(64)
            connection.wait([woken, *(one.sentinel for one in alive)], RESTART_INTERVAL)

    @contextlib.contextmanager
    def _woken_by_signals(self) -> Any:
        woken, waker = socket.socketpair()
        with woken, waker:
            for end in (woken, waker):
                end.setblocking(False)
            signal.set_wakeup_fd(waker.fileno())
            try:
                for sign in _stopping_signals():
                    signal.signal(sign, lambda sign, _: self._signals.append(sign))
                yield woken
            finally:
                signal.set_wakeup_fd(-1)


def _stopping_signals() -> list[signal.Signals]:
    hangup = signal.getsignal(signal.SIGHUP)
    ignored = [signal.SIGHUP] if hangup is signal.SIG_IGN else []  # as under nohup
    return [s for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if s not in ignored]


class _Worker:
    """A worker process; it stops by itself when the supervisor is gone."""

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
        """Wait until it serves, or a signal arrives at `woken`. Raises `CannotStart`."""
        if woken not in connection.wait([self._pipe, woken]):
            self._read()
            if not self._served:
                raise CannotStart(f"a process {self.ending}")

    def may_be_replaced(self) -> bool:
        """True at once if it has served; else after an interval, to limit restarts."""
        self._read()
        return self._served or time.monotonic() - self._begun > RESTART_INTERVAL

    @property
    def ending(self) -> str:
        """How it ended, for the log; valid after `may_be_replaced`."""
        return "has died" if self._served else f"could not start: {self._reason}"

    def _read(self) -> None:
        """Receive the worker's first message: None (it serves) or why it cannot. The pipe may close
        without one, and closes before the process has died."""
        if self._served:
            return
        try:
            message = self._pipe.recv()
        except (EOFError, OSError):
            return
        self._served = message is None
        self._reason = message or self._reason


def _serve(config: Config, address: socket.socket, supervisor: connection.Connection) -> None:
    os.setsid()  # Ctrl-C reaches only the supervisor, which stops the workers
    signal.signal(signal.SIGTERM, lambda *_: None)
    config.configure_logging()

    def started() -> None:
        supervisor.send(None)
        asyncio.get_running_loop().add_reader(supervisor.fileno(), supervisor_ended)

    def supervisor_ended() -> None:
        server.should_exit = True

    server = Server(config, started)
    try:
        server.run([address])
    except SettingsError as error:
        supervisor.send(str(error))
        sys.exit(1)
    except CannotStart:  # the reason is in the log
        sys.exit(1)
