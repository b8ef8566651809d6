"""uvicorn's protocol on a real connection, and what it calls in its order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

GET: Final = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
WRITTEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"


class Observed(HttpToolsProtocol):
    """uvicorn's protocol, which notes what is called, in its order."""

    def __init__(self, calls: list[str], *arguments: Any, **options: Any) -> None:
        self.calls = calls
        self.is_made, self.has_begun, self.is_lost = (asyncio.Event() for _ in range(3))
        super().__init__(*arguments, **options)

    def connection_made(self, transport: Any) -> None:
        self.calls.append("connection_made")
        super().connection_made(transport)
        self.is_made.set()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_lost.set()

    def on_headers_complete(self) -> None:
        self.calls.append("on_headers_complete")
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.calls.append("_start_asgi_task")
        self.has_begun.set()
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self.calls.append("on_body")
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.calls.append("on_message_complete")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.calls.append("on_response_complete")
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self.calls.append("send_400_response")
        super().send_400_response(msg)


class Served:
    """One connection to such a protocol, from the client's side."""

    def __init__(self, app: Any, kind: type[Observed] = Observed) -> None:
        self.app, self.kind = app, kind
        self.calls: list[str] = []
        self.state = ServerState()
        self.protocol: Observed
        self.is_made = asyncio.Event()

    def made(self) -> Observed:
        config = uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off")
        self.protocol = self.kind(self.calls, config, self.state, {})
        self.is_made.set()
        return self.protocol

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        server = await asyncio.get_running_loop().create_server(self.made, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        async with server, asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(host, port)
            await self.is_made.wait()
            await self.protocol.is_made.wait()
            yield reader, writer
            writer.close()
            self.protocol.transport.close()
            await self.protocol.is_lost.wait()
