"""Writing responses: in order, each in one write, and with backpressure."""

import re
from collections.abc import Sized
from typing import Any, Final, NamedTuple, final

from fastapi import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from api.forwarded import Proxies
from api.http.stack import MAY_CLOSE
from api.serving.connections import Connections, Place

WRITE_RESPONSE: Final = "task-api.whole"  # in the scope: the function that writes a whole response
_CLOSE: Final = (b"connection", b"close")
_NOT_IN_A_HEADER: Final = re.compile(rb"[\0\r\n]")


class Timeouts(NamedTuple):
    """Timeouts of a connection, in seconds."""

    head: float  # from connecting, or a request's first byte, to the end of its headers
    write: float  # without progress: no byte sent, or an unread body does not end
    drain: float  # for a next request on an idle connection when the server stops


@final
class State(ServerState):
    """State that the connections of a process share."""

    def __init__(self, places: Connections, proxies: Proxies, timeouts: Timeouts) -> None:
        super().__init__()
        self.places, self.proxies, self.timeouts = places, proxies, timeouts


@final
class Flow(FlowControl):
    """Flow control that pauses reading while requests of the connection wait for earlier ones."""

    def __init__(self, transport: Any, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if self.read_paused and not self._waiting:
            super().resume_reading()


class Responding(HttpToolsProtocol):
    """The writing half of a connection. `_place` is its entry in the limits of the process."""

    server_state: State
    _place: Place

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._since = self.loop.time()  # when it began to wait for the client
        self.answering: Any = None
        self._held: tuple[Any, Any] | None = None  # a request that waits until responses are read

    @property
    def unsent(self) -> int:
        """Bytes of responses that the kernel has not taken yet."""
        return int(self.transport.get_write_buffer_size())

    def is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self.flow.write_paused:  # a client that does not read gets no further response
            self._held = cycle, app
            return
        self.answering, cycle.scope[WRITE_RESPONSE] = cycle, self._write
        cycle.scope[MAY_CLOSE] = self._place.idle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """The write buffer is above its high-water mark."""
        super().pause_writing()
        self.server_state.places.unread(self._place)

    def resume_writing(self) -> None:
        """The write buffer is below its low-water mark."""
        super().resume_writing()
        self.server_state.places.read(self._place)
        if self._held is not None:
            held, self._held = self._held, None
            self._start_asgi_task(*held)

    def on_response_complete(self) -> None:
        """The response is written, though perhaps not sent yet."""
        self._since = self.loop.time()
        super().on_response_complete()
        if self.cycle.response_complete:
            self._place.idle()

    async def _write(self, response: Response) -> None:
        """Write a response in one packet, where `cycle.send` needs two calls and two packets."""
        cycle = self.answering
        if self.flow.write_paused:
            await self.flow.drain()
        cycle.disconnected = cycle.disconnected or self.transport.is_closing()
        if cycle.disconnected:
            return
        if _CLOSE in response.raw_headers:
            cycle.keep_alive = False
        head = self.head_of(response, keep_alive=cycle.keep_alive)
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        has_body = cycle.scope["method"] != "HEAD"
        self.transport.write(head + bytes(response.body) if has_body else head)
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def head_of(self, response: Response, *, keep_alive: bool) -> bytes:
        lines = [*self.server_state.default_headers, *response.raw_headers]
        if not keep_alive and _CLOSE not in lines:
            lines.append(_CLOSE)
        if _NOT_IN_A_HEADER.search(b"".join(value for _, value in lines)):
            raise ValueError("a header would end before its value does")
        head = b"".join([b"%b: %b\r\n" % line for line in lines])
        return STATUS_LINE[response.status_code] + head + b"\r\n"
