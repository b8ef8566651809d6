"""HTTP/1.1 as uvicorn speaks it, with a bound for whatever a client may do slowly, or at length."""

import re
from typing import Any, Final

from fastapi import Response
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api import logs, problems
from api.problems import Failure, Kind

# Seconds. The bodies of tasks have theirs in routes/body.py.
HEAD_TIMEOUT: Final = 10.0  # from the connection, or from its first byte, to the end of a head
KEEP_ALIVE: Final = 65  # between requests; longer than the 60 of the usual proxies
STALLED: Final = 20.0  # without a byte taken of an answer, or to the end of a body nobody reads
LAST_CALL: Final = 1.0  # for the next request on a connection, once the server stops

MAX_HEAD: Final = 64 * 1024  # bytes

WHOLE: Final = "task-api.whole"  # in the scope: what writes a response in one go
_CLOSE: Final = (b"connection", b"close")
_NOT_IN_A_HEADER: Final = re.compile(rb"[\0\r\n]")


class Protocol(HttpToolsProtocol):
    """One connection. The server lets it `look` at the clock from time to time."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._since = self.loop.time()  # of what it waits for
        self._head: int | None = 0  # bytes of a head that has not ended yet
        self._in_body = self._stopping = False
        self._untaken = 0  # bytes of answers, when last looked at

    def look(self) -> None:
        """End the connection if its client is too slow."""
        now, untaken = self.loop.time(), self.transport.get_write_buffer_size()
        if untaken != self._untaken or self._busy():  # a route has clocks of its own
            self._untaken, self._since = untaken, now
        waited = now - self._since
        if untaken:
            if waited > STALLED:
                self.transport.abort()
        elif self._in_body:
            if waited > STALLED:
                self.transport.close()
        elif self._head is not None and waited > HEAD_TIMEOUT:
            self._refuse(Failure(Kind.REQUEST_TIMEOUT, "The head came too slowly."))

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._head is None and not self._in_body:
            self._head, self._since = 0, self.loop.time()
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > MAX_HEAD:
            self.send_400_response("")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or of a trailer, which is left out."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended: somebody is to answer it."""
        if self._head is not None and self._head > MAX_HEAD:  # a body may be in it
            self._head = len(self.url) + sum(len(k) + len(v) + 4 for k, v in self.headers)
            if self._head > MAX_HEAD:
                raise ValueError  # the parser ends, and uvicorn calls send_400_response
        self._head, self._in_body = None, True
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body has ended."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written, though not yet taken."""
        self._since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """The server stops: a request that is on its way yet is the last."""
        self._stopping = True
        if self._busy():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(LAST_CALL, super().shutdown)

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP, or too much of it."""
        if self._head is not None and self._head > MAX_HEAD:
            detail = f"A head may have {MAX_HEAD} bytes at most."
            self._refuse(Failure(Kind.HEAD_TOO_LARGE, detail))
        else:
            self._refuse(Failure(Kind.MALFORMED_REQUEST, "This is not HTTP/1.1."))

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if app is service_unavailable:  # in plain text, and the connection would stay
            cycle.scope["crowded"], app = True, self.app
        self._answering, cycle.scope[WHOLE] = cycle, self._write
        super()._start_asgi_task(cycle, app)

    async def _write(self, response: Response) -> None:
        """What `cycle.send` does in two steps and two packets."""
        cycle = self._answering
        if self.flow.write_paused:
            await self.flow.drain()
        if cycle.disconnected:
            return
        if _CLOSE in response.raw_headers:
            cycle.keep_alive = False
        head = self._head_of(response, keep_alive=cycle.keep_alive)
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        has_body = cycle.scope["method"] != "HEAD"
        self.transport.write(head + bytes(response.body) if has_body else head)
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _head_of(self, response: Response, *, keep_alive: bool) -> bytes:
        lines = [*self.server_state.default_headers, *response.raw_headers]
        if not keep_alive and _CLOSE not in lines:
            lines.append(_CLOSE)
        if _NOT_IN_A_HEADER.search(b"".join(value for _, value in lines)):
            raise ValueError("a header would end before its value does")
        head = b"".join([b"%b: %b\r\n" % line for line in lines])
        return STATUS_LINE[response.status_code] + head + b"\r\n"

    def _refuse(self, failure: Failure) -> None:
        """Answer without a route, and close."""
        if self.transport.is_closing():
            return
        if self._busy() and not self._in_body:  # what came before is answered first
            self.flow.pause_reading()
            self.cycle.keep_alive = False
            return
        request_id = logs.request_id(None)
        response = problems.answer(failure, request_id)
        self.app_state["observer"].refused(self.client, response, request_id)
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        self.transport.write(self._head_of(response, keep_alive=False) + bytes(response.body))
        self.transport.close()
