"""HTTP/1.1 as uvicorn speaks it, with a bound for whatever a client may do slowly, or at length."""

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

# Seconds. The bodies of tasks have theirs in http/body.py.
HEAD_TIMEOUT: Final = 10.0  # from the connection, or from its first byte, to the end of a head
KEEP_ALIVE: Final = 65  # between requests; longer than the 60 of the usual proxies
WRITE_TIMEOUT: Final = 20.0  # in which the client takes no byte, or an unread body does not end
DRAIN_GRACE: Final = 1.0  # for the next request on a connection, once the server stops

MAX_PIPELINED: Final = 100  # requests of a connection that wait for their turn

CROWDED: Final = "task-api.crowded"  # in the scope: there is no room for this connection
_LIMITED: Final = f"A head may have {MAX_HEAD} bytes at most, and so may a trailer."


class Protocol(Responding):
    """One connection. The server lets it `look` at the clock from time to time."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._taken_at = self._since
        self._head: int | None = 0  # bytes of a head that has not ended yet
        self._around = 0  # bytes of a body since the last of its content: chunk sizes, a trailer
        self._in_body = self._stopping = self._is_proxy = False
        self._taken = 0  # bytes of answers, when last looked at
        self._failure: Failure | None = None  # why what came is refused

    # --- from connecting to leaving ---

    def connection_made(self, transport: Any) -> None:
        """Somebody has connected."""
        super().connection_made(transport)
        self.transport = CountingTransport(transport)  # type: ignore[assignment]
        self.flow = Flow(transport, self.pipeline)
        address = None
        if self.client is not None:
            self.client = (unmapped(self.client[0]), self.client[1])
            self._is_proxy = self.server_state.proxies.trusts(self.client[0])
            # many people come by one proxy
            address = None if self._is_proxy else network(self.client[0])
        self._place = self.server_state.places.join(self, address)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended: nobody waits for its answers."""
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
        """End it, for another connection needs its place."""
        if self.unsent:
            self.transport.abort()
        elif self._head:
            self._refuse(problems.crowded())
        else:
            self.transport.close()

    def abort(self) -> None:
        """End it at once; what is unsent is lost."""
        self.transport.abort()

    def check_timeouts(self) -> None:
        """End the connection if its client is too slow."""
        now, unsent = self.loop.time(), self.unsent
        taken = self.transport.written - unsent  # type: ignore[attr-defined]
        if not unsent or taken != self._taken:
            self._taken, self._taken_at = taken, now
        if unsent:
            self.server_state.places.unread(self._place)
            if now - self._taken_at > WRITE_TIMEOUT:  # whatever else is being answered
                self.transport.abort()
            return
        self.server_state.places.read(self._place)
        if self.is_busy():  # a route has clocks of its own
            self._since = now
        waited = now - self._since
        if self._in_body:
            if waited > WRITE_TIMEOUT:
                self.transport.close()
        elif self._head is not None and waited > HEAD_TIMEOUT:
            self._refuse(Failure(Kind.REQUEST_TIMEOUT, "The head came too slowly."))

    def shutdown(self) -> None:
        """The server stops: a request that is on its way yet is the last."""
        self._stopping = True
        if self.is_busy():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(DRAIN_GRACE, super().shutdown)

    # --- what comes ---

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._head is None and not self._in_body:
            self._head, self._since = 0, self.loop.time()
        if self._head is not None:
            self._head += len(data)
        self._around += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")
            return
        if self._head is not None and self._head > MAX_HEAD:
            self.send_400_response("")
        elif self._in_body and self._around > MAX_HEAD:
            self._failure = Failure(Kind.HEAD_TOO_LARGE, _LIMITED)
            self.send_400_response("")

    def _feed(self, data: bytes) -> None:
        """Parse it. A wish to change the protocol is ignored (RFC 9110, section 7.8).

        The parser stops after such a head, as if what follows were no HTTP any more. But the body
        is framed by the head as any other (RFC 9112, section 6.3), so another parser reads the head
        once more without that wish, and then what follows.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as wish:
                data = data[wish.args[0] :]
                head = heads.without_upgrade(
                    self.parser.get_method(),
                    self.url,
                    self.parser.get_http_version(),
                    self.headers,
                )
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or of a trailer, which is left out."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended: somebody is to answer it."""
        if self._head is not None and self._head > MAX_HEAD:  # a body may be in it
            self._head = heads.size(self.url, self.headers)
            if self._head > MAX_HEAD:
                raise ValueError  # the parser ends, and data_received calls send_400_response
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if (fault := heads.fault(method, version, self.headers)) is not None:
            self._failure = Failure(Kind.MALFORMED_REQUEST, fault)
            raise ValueError
        if self.parser.should_upgrade():
            return  # it is read again, see _feed
        if len(self.pipeline) >= MAX_PIPELINED:  # it may be sent again (RFC 9112, section 9.3.2)
            raise ValueError
        self._head, self._in_body, self._around = None, True, 0
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
            else:  # the connection's own address counts, and is not the client's
                self.scope[UNKNOWN] = True  # type: ignore[typeddict-unknown-key]

    def on_body(self, body: bytes) -> None:
        """A part of the body, unless the head is read again."""
        if not self.parser.should_upgrade():
            self._around = 0
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body has ended, unless the head is read again."""
        if not self.parser.should_upgrade():
            self._in_body = False
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP, or too much of it."""
        failure, self._failure = self._failure, None
        if self._head is not None and self._head > MAX_HEAD:
            failure = Failure(Kind.HEAD_TOO_LARGE, _LIMITED)
        self._refuse(failure or Failure(Kind.MALFORMED_REQUEST, "This is not HTTP/1.1."))

    # --- what is refused ---

    def _forget_last(self) -> None:
        """The request whose body is broken is not answered before those that came before it."""
        self._in_body = False
        if self.pipeline:
            self.pipeline.popleft()
        else:
            self._held = None
        waiting = self.pipeline[0] if self.pipeline else self._held
        self.cycle = waiting[0] if waiting else self.answering

    def _refuse(self, failure: Failure) -> None:
        """Answer without a route, and close."""
        if self.transport.is_closing():
            return
        if self._in_body and not self.is_busy():  # it has its answer
            self.transport.close()
            return
        if self._in_body and self.cycle is not self.answering:
            self._forget_last()
        if self.is_busy() and not self._in_body:  # what came before is answered first
            self.flow.pause_reading()
            self.cycle.keep_alive = False
            return
        request_id = logs.request_id(None)
        response = problems.answer(failure, request_id)
        self.app_state["observer"].refused(self.client, response, request_id)
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        self.transport.write(self.head_of(response, keep_alive=False) + bytes(response.body))
        self.transport.close()
