"""uvicorn: what api/serving/protocol.py and api/serving/server.py need of its classes."""

import asyncio
import logging
import signal
import socket
from typing import Any

import httptools
import pytest
import uvicorn
from uvicorn.logging import DefaultFormatter
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from tests.private_names.observed import GET, POST, WRITTEN, Observed, Served

pytestmark = pytest.mark.anyio


async def answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def test_uvicorn_still_calls_on_headers_complete_before_the_application() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        served.calls.append("application")
        assert (await receive())["body"] == b"{}"
        await answer(send)

    served = Served(app)
    async with served.client() as (reader, writer):
        writer.write(POST)
        assert await reader.readuntil(b"\r\n\r\n") == WRITTEN
    assert served.calls == [
        "connection_made",
        "on_headers_complete",
        "_start_asgi_task",
        "on_body",
        "on_message_complete",
        "application",
        "on_response_complete",
    ]


async def test_a_connection_still_has_the_state_that_its_timeouts_look_at() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        protocol = served.protocol
        assert protocol in served.state.connections
        assert protocol.server_state is served.state
        assert protocol.app_state == {}
        assert protocol.loop is asyncio.get_running_loop()
        assert protocol.client == (scope["client"][0], scope["client"][1])
        assert isinstance(protocol.flow, FlowControl)
        assert protocol.transport.get_write_buffer_size() == 0
        assert protocol.headers == [(b"host", b"localhost"), (b"content-length", b"2")]
        assert protocol.url == b"/"
        assert protocol.scope is scope
        assert protocol.cycle.scope is scope
        assert isinstance(protocol.parser, httptools.HttpRequestParser)
        assert not protocol.pipeline
        await answer(send)

    served = Served(app)
    async with served.client() as (reader, writer):
        writer.write(POST)
        assert await reader.readuntil(b"\r\n\r\n") == WRITTEN
        assert served.protocol.cycle.response_complete
        assert served.protocol.timeout_keep_alive_task is not None
        served.protocol._unset_keepalive_if_required()  # noqa: SLF001 - it is the question
        assert served.protocol.timeout_keep_alive_task is None


async def test_a_request_behind_another_still_waits_in_the_pipeline_the_oldest_last() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/0":
            waiting = [cycle.scope["path"] for cycle, _ in served.protocol.pipeline]
            assert waiting == ["/2", "/1"]
            assert served.protocol.flow.read_paused
            assert served.protocol.cycle.scope["path"] == "/2", "the one that came last"
        served.calls.append(scope["path"])
        await answer(send)

    served = Served(app)
    async with served.client() as (reader, writer):
        writer.write(GET % 0 + GET % 1 + GET % 2)
        for _ in range(3):
            assert await reader.readuntil(b"\r\n\r\n") == WRITTEN
    assert [call for call in served.calls if call.startswith("/")] == ["/0", "/1", "/2"]


async def test_a_response_can_still_be_written_without_the_two_messages() -> None:
    """As `Protocol._write` does it; uvicorn adds nothing, and takes the next request."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        cycle = served.protocol.cycle
        assert cycle.keep_alive
        assert (cycle.disconnected, cycle.waiting_for_100_continue) == (False, False)
        assert (cycle.response_started, cycle.response_complete) == (False, False)
        served.protocol.transport.write(STATUS_LINE[204] + b"\r\n")
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()

    served = Served(app)
    async with served.client() as (reader, writer):
        for number in range(2):
            writer.write(GET % number)
            assert await reader.readuntil(b"\r\n\r\n") == WRITTEN
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                assert await reader.read(1) == b"", "something was written a second time"
    assert served.calls.count("on_response_complete") == 2


async def test_who_waits_for_a_body_is_still_told_that_the_client_has_left() -> None:
    left = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.disconnect"
        assert served.protocol.cycle.disconnected
        left.set()

    served = Served(app)
    async with served.client() as (_, writer):
        writer.write(POST[:-2])
        await served.protocol.has_begun.wait()
        writer.close()
        await left.wait()


async def test_a_head_that_is_refused_while_it_is_parsed_is_still_answered_with_400() -> None:
    class Refusing(Observed):
        def on_headers_complete(self) -> None:
            raise ValueError

    served = Served(None, Refusing)
    async with served.client() as (reader, writer):
        writer.write(GET % 0)
        assert (await reader.read()).startswith(STATUS_LINE[400])
    assert served.calls == ["connection_made", "send_400_response"]


async def test_a_client_that_does_not_read_still_pauses_the_flow() -> None:
    """`pause_writing` and `resume_writing` of the protocol are what asyncio calls."""
    served = Served(None)
    async with served.client():
        protocol = served.protocol
        protocol.pause_writing()
        assert protocol.flow.write_paused
        waiting = asyncio.ensure_future(protocol.flow.drain())
        await asyncio.sleep(0)
        assert not waiting.done()
        protocol.resume_writing()
        await waiting
        protocol.flow.pause_reading()
        assert protocol.flow.read_paused
        protocol.flow.resume_reading()
        assert not protocol.flow.read_paused


class Ticking(uvicorn.Server):
    """A server that notes its life, and stops after some ticks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ticks: list[int] = []
        self.shut_down: list[object] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert not self.started
        await super().startup(sockets)
        assert self.started

    async def on_tick(self, counter: int) -> bool:
        self.ticks.append(counter)
        should_exit = await super().on_tick(counter)
        if counter == 12:
            self.handle_exit(signal.SIGTERM, None)
        return should_exit

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert self.should_exit
        assert not self.force_exit
        assert [server.is_serving() for server in self.servers] == [True]
        assert dict(self.server_state.default_headers)[b"date"]
        assert self.lifespan.state == {"kept": "by the lifespan"}
        await super().shutdown(sockets)


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    scope["state"]["kept"] = "by the lifespan"
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def test_the_server_still_ticks_ten_times_a_second_from_its_start_to_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signal, "raise_signal", lambda _: None)  # it raises again what it has had
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Ticking(uvicorn.Config(lifespan, log_config=None))
        server.run([listening])
    assert server.ticks == list(range(14))


def test_a_start_that_the_application_refuses_still_exits() -> None:
    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = uvicorn.Server(uvicorn.Config(refusing, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(SystemExit):
        server.run([listening])
    assert not server.started


async def test_every_connection_is_still_told_that_the_server_stops() -> None:
    served = Served(None)
    server = uvicorn.Server(uvicorn.Config(lifespan, log_config=None, lifespan="off"))
    server.server_state = served.state
    server.servers = []
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    async with served.client() as (reader, _):
        await server.shutdown()
        assert await reader.read() == b"", "who has asked nothing is let go"


def test_the_formatter_still_puts_the_level_in_front_and_lets_the_message_be_changed() -> None:
    class Shouting(DefaultFormatter):
        def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
            record.message = record.message.upper()
            return super().formatMessage(record)

    formatter = Shouting("%(levelprefix)s %(message)s", use_colors=False)
    record = logging.LogRecord("api", logging.INFO, "", 1, "served", None, None)
    assert formatter.format(record) == "INFO:     SERVED"
