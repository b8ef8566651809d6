"""One process that serves, how it is set up, and how it stops."""

import asyncio
import gc
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn

from api.forwarded import Proxies
from api.observability import logs
from api.serving import protocol
from api.serving.connections import MAX_CONNECTIONS, MIB, Connections
from api.serving.responses import State
from api.settings import Settings

_SECOND: Final = 10  # ticks of uvicorn's


class Config(uvicorn.Config):
    """uvicorn's, with the limits that `Connections` keeps, and the proxies that are trusted."""

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
            "timeout_keep_alive": protocol.KEEP_ALIVE,
            "timeout_graceful_shutdown": settings.shutdown_timeout,
            "log_config": logs.config(settings.log_format),
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,  # `Proxies` reads them
        }
        super().__init__(app, **(ours | options))
        self.limit_connections = limit_connections
        self.limit_per_address = limit_per_address
        self.max_unsent = settings.max_unsent_mib * MIB
        self.trusted = settings.forwarded_allow_ips


class CannotStart(Exception):
    """A process cannot serve. The message is one line."""


class Server(uvicorn.Server):
    """It looks at its connections every second, and loses none of them when it stops."""

    def __init__(self, config: Config, started: Callable[[], None]) -> None:
        """Calls `started` once it serves."""
        super().__init__(config)
        limits = config.limit_connections, config.limit_per_address, config.max_unsent
        self.server_state = State(Connections(*limits), Proxies(config.trusted))
        self._when_started = started

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal ends it."""
        gc.disable()  # what is imported first stays; to look through it took a tenth of the start
        try:
            super().run(sockets)
        finally:
            gc.enable()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open what is needed, then the port. Raises `CannotStart`."""
        gc.enable()
        try:
            await super().startup(sockets)
        except SystemExit:
            raise CannotStart("the server could not start; it has said why") from None
        if self.started:
            self._when_started()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % _SECOND == 0:
            for connection in list(self.server_state.connections):
                assert isinstance(connection, protocol.Protocol)  # noqa: S101 - as configured
                connection.check_timeouts()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal lets what is running finish; the second does not."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Who has connected already is served; who comes now is refused."""
        listening = [one.dup() for one in sockets or ()]
        for server in self.servers:
            server.close()
        await asyncio.sleep(0)
        for one in listening:
            await self._accept_all(one)
            one.close()
        await super().shutdown(sockets)

    async def _accept_all(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # nobody waits
                return
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> protocol.Protocol:
        return protocol.Protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
