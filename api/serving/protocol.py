"""uvicorn's HTTP/1.1 protocol with timeouts and size limits for slow or abusive clients."""

from typing import Any, Final

import httptools

from api.forwarded import UNKNOWN, network, unmapped
from api.http import problems
from api.http.problems import Failure, Kind
from api.observability import logs
from api.serving import heads
from api.serving.connections import CountingTransport
from api.serving.heads import MAX_HEAD
from api.serving.responses import Flow, Responding

MAX_PIPELINED: Final = 100  # requests of a connection that wait for earlier responses

CROWDED: Final = "task-api.crowded"  # in the scope: the connection is over a limit
_TOO_LARGE: Final = f"A head may have {MAX_HEAD} bytes at most, and so may a trailer."


class Protocol(Responding):
    """One HTTP/1.1 connection. The server calls `check_timeouts` every second."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sent_at = self._since
        self._header_bytes: int | None = 0  # bytes of incomplete headers; None: complete
        self._framing_bytes = 0  # bytes of a body since its last content: chunk sizes, a trailer
        self._in_body = self._stopping = self._is_proxy = False
        self._sent = 0  # bytes of responses sent, at the last check
        self._failure: Failure | None = None  # why the parser was stopped

    # --- lifetime ---

    def connection_made(self, transport: Any) -> None:
        """A client has connected: register it with its limits."""
        super().connection_made(transport)
        self.transport = CountingTransport(transport)  # type: ignore[assignment]
        self.flow = Flow(transport, self.pipeline)
        address = None
        if self.client is not None:
            self.client = (unmapped(self.client[0]), self.client[1])
            self._is_proxy = self.server_state.proxies.trusts(self.client[0])
            # many clients share a proxy
            address = None if self._is_proxy else network(self.client[0])
        self._place = self.server_state.places.join(self, address)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed: cancel its waiting requests."""
        self._place.leave()
        waiting = [cycle for cycle, _ in self.pipeline]
        held = [self._held[0]] if self._held else []
        for cycle in (self.answering, *held, *waiting):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        self._held = None
        super().connection_lost(exc)

    def make_room(self) -> None:
        """Close it in favour of another connection."""
        if self.unsent:
            self.transport.abort()
        elif self._header_bytes:
            self._refuse(problems.crowded())
        else:
            self.transport.close()

    def abort(self) -> None:
        """Close it at once; unsent bytes are lost."""
        self.transport.abort()

    def check_timeouts(self) -> None:
        """Close the connection if its client is too slow."""
        now, unsent, timeouts = self.loop.time(), self.unsent, self.server_state.timeouts
        sent = self.transport.written - unsent  # type: ignore[attr-defined]
        if not unsent or sent != self._sent:
            self._sent, self._sent_at = sent, now
        if unsent:
            self.server_state.places.unread(self._place)
            if now - self._sent_at > timeouts.write:  # even while a request is running
                self.transport.abort()
            return
        self.server_state.places.read(self._place)
        if self.is_busy():  # routes have their own timeouts
            self._since = now
        waited = now - self._since
        if self._in_body:
            if waited > timeouts.write:
                self.transport.close()
        elif self._header_bytes is not None and waited > timeouts.head:
            self._refuse(Failure(Kind.REQUEST_TIMEOUT, "The head came too slowly."))

    def shutdown(self) -> None:
        """The server stops: a request that is on its way yet is the last."""
        self._stopping = True
        if self.is_busy() and self.cycle.response_started and self.flow.write_paused:
            self.transport.abort()  # a stream that nobody reads would not end
        elif self.is_busy():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(self.server_state.timeouts.drain, super().shutdown)

    # --- parsing ---

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, and enforce the size limits."""
        if self._header_bytes is None and not self._in_body:
            self._header_bytes, self._since = 0, self.loop.time()
        if self._header_bytes is not None:
            self._header_bytes += len(data)
        self._framing_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        if self._header_bytes is not None and self._header_bytes > MAX_HEAD:
            self.send_400_response("")
        elif self._in_body and self._framing_bytes > MAX_HEAD:
            self._failure = Failure(Kind.HEAD_TOO_LARGE, _TOO_LARGE)
            self.send_400_response("")

    def _feed(self, data: bytes) -> None:
        """Parse, ignoring Upgrade (RFC 9110, section 7.8).

        After headers with Upgrade the parser stops, as if another protocol followed. But the body
        is framed by the headers as any other (RFC 9112, section 6.3), so a new parser reads the
        headers again without Upgrade, and then the rest.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                header_section = heads.without_upgrade(
                    self.parser.get_method(),
                    self.url,
                    self.parser.get_http_version(),
                    self.headers,
                )
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(header_section)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line; a trailer's is ignored."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are complete: validate and route the request."""
        if self._header_bytes is not None and self._header_bytes > MAX_HEAD:  # or of the body
            self._header_bytes = heads.size(self.url, self.headers)
            if self._header_bytes > MAX_HEAD:
                raise ValueError  # stops the parser; data_received calls send_400_response
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if (fault := heads.fault(method, version, self.headers)) is not None:
            self._failure = Failure(Kind.MALFORMED_REQUEST, fault)
            raise ValueError
        if self.parser.should_upgrade():
            return  # a new parser reads it again, see _feed
        if len(self.pipeline) >= MAX_PIPELINED:  # clients may retry it (RFC 9112, section 9.3.2)
            raise ValueError
        self._header_bytes, self._in_body, self._framing_bytes = None, True, 0
        if not self.url.startswith(b"/"):
            self.url = heads.with_path(self.url)
        if self._is_proxy:
            self._read_forwarded()
        if not (self._place.is_admitted or self._place.admit()):
            self.scope[CROWDED] = True  # type: ignore[typeddict-unknown-key]
        self._place.work()
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False

    def _read_forwarded(self) -> None:
        forwarded = [value for name, value in self.headers if name == b"x-forwarded-for"]
        if forwarded:
            if client := self.server_state.proxies.client(forwarded):
                self.scope["client"] = (client, 0)
            else:  # limits use the proxy's address; the log has no client
                self.scope[UNKNOWN] = True  # type: ignore[typeddict-unknown-key]

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the headers are parsed again."""
        if not self.parser.should_upgrade():
            self._framing_bytes = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete, unless the headers are parsed again."""
        if not self.parser.should_upgrade():
            self._in_body = False
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed or is too large. Called by uvicorn, too."""
        failure, self._failure = self._failure, None
        if self._header_bytes is not None and self._header_bytes > MAX_HEAD:
            failure = Failure(Kind.HEAD_TOO_LARGE, _TOO_LARGE)
        self._refuse(failure or Failure(Kind.MALFORMED_REQUEST, "This is not HTTP/1.1."))

    # --- refusing ---

    def _forget_last(self) -> None:
        """Drop the request with the broken body: earlier ones are answered first."""
        self._in_body = False
        if self.pipeline:
            self.pipeline.popleft()
        else:
            self._held = None
        waiting = self.pipeline[0] if self.pipeline else self._held
        self.cycle = waiting[0] if waiting else self.answering

    def _refuse(self, failure: Failure) -> None:
        """Send a problem without routing the request, and close."""
        if self.transport.is_closing():
            return
        if self._in_body and not self.is_busy():  # it has its response
            self.transport.close()
            return
        if self._in_body and self.cycle is not self.answering:
            self._forget_last()
        if self.is_busy() and not self._in_body:  # earlier requests are answered first
            self.flow.pause_reading()
            self.cycle.keep_alive = False
            return
        request_id = logs.request_id(None)
        response = problems.answer(failure, request_id)
        if "observer" in self.app_state:  # a lifespan of others may hold it back
            self.app_state["observer"].refused(self.client, response, request_id)
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        self.transport.write(self.head_of(response, keep_alive=False) + bytes(response.body))
        self.transport.close()
