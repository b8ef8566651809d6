"""The uvicorn server of one process: configuration, start and graceful shutdown."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn

from api.forwarded import Proxies
from api.observability import logs
from api.serving import protocol
from api.serving.connections import KEEP_ALIVE, MAX_CONNECTIONS, MIB, Connections
from api.serving.responses import State, Timeouts
from api.settings import Settings
from api.version import VERSION

# In the state of the application's lifespan, if there is one: a function to call when the server
# stops, before responses that are on their way are waited for.
STOPPING: Final = "stopping"
CHECK_INTERVAL: Final = 1  # seconds between two checks of the connections' timeouts
_TICKS: Final = 10  # of uvicorn, in a second

_log = logging.getLogger(__name__)


class Config(uvicorn.Config):
    """uvicorn's configuration, with connection limits and trusted proxies."""

    def __init__(
        self,
        app: Any,
        settings: Settings,
        *,
        limit_connections: int = MAX_CONNECTIONS,
        limit_per_address: int | None = None,
        **options: Any,
    ) -> None:
        ours: dict[str, Any] = {
            "http": protocol.Protocol,
            "ws": "none",
            "timeout_keep_alive": KEEP_ALIVE,
            "timeout_graceful_shutdown": settings.shutdown_timeout,
            "log_config": logs.config(settings.log_format),
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,  # `api.forwarded.Proxies` reads them
        }
        super().__init__(app, **(ours | options))
        self.limit_connections = limit_connections
        self.limit_per_address = limit_per_address
        self.max_unsent = settings.max_unsent_mib * MIB
        self.trusted = settings.forwarded_allow_ips
        self.worker_stop_timeout = settings.shutdown_timeout + settings.worker_stop_timeout
        self.timeouts = Timeouts(
            settings.head_timeout, settings.write_timeout, settings.drain_timeout
        )


class CannotStart(Exception):
    """A process cannot serve. The message is one line."""


class Server(uvicorn.Server):
    """uvicorn's server; checks timeouts every second, and drops no connection at shutdown."""

    def __init__(
        self,
        config: Config,
        started: Callable[[], None],
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        """`started` is called once it serves, `stopping` before it stops listening."""
        super().__init__(config)
        limits = config.limit_connections, config.limit_per_address, config.max_unsent
        self.server_state = State(Connections(*limits), Proxies(config.trusted), config.timeouts)
        self._when_started, self._when_stopping = started, stopping

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal ends it."""
        gc.disable()  # imports leave no garbage, and collecting took a tenth of the start
        try:
            if not self.config.loaded:
                self.config.load()  # what it refuses is said in one line, and nothing before
            _log.info("task-api %s", VERSION)
            super().run(sockets)
        finally:
            gc.enable()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Run the application's startup, then listen. Raises `CannotStart`."""
        gc.enable()
        try:
            await super().startup(sockets)
        except SystemExit:
            raise CannotStart("the server could not start; it has said why") from None
        if self.started:
            self._when_started()

    async def on_tick(self, counter: int) -> bool:
        """Check the timeouts once a second; uvicorn calls this ten times a second."""
        if counter % (CHECK_INTERVAL * _TICKS) == 0:
            self._check_timeouts()
        return await super().on_tick(counter)

    def _check_timeouts(self) -> None:
        for connection in list(self.server_state.connections):
            assert isinstance(connection, protocol.Protocol)  # noqa: S101 - as configured
            connection.check_timeouts()

    async def _check_while_stopping(self) -> None:
        """In place of the ticks, which have ended."""
        while True:
            await asyncio.sleep(CHECK_INTERVAL)
            self._check_timeouts()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops gracefully; the second at once."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and serve the connections in the accept queue before stopping.

        A client that does not read is still cut off.
        """
        self._when_stopping()
        listening = [one.dup() for one in sockets or ()]
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)
        for one in listening:
            await self._accept_all(one)
            one.close()
        self.lifespan.state.get(STOPPING, lambda: None)()
        checking = asyncio.create_task(self._check_while_stopping())
        try:
            await super().shutdown(sockets)
        finally:
            checking.cancel()

    async def _accept_all(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # the queue is empty
                return
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> protocol.Protocol:
        return protocol.Protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
