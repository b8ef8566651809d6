"""asyncpg: what the pipeline and the connector need of its connection and its errors."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio


class Between(asyncio.Protocol):
    """Hands everything on to asyncpg's own protocol."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.received = driver, b""
        self.lost = False

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.driver.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.driver.connection_lost(exc)

    def pause_writing(self) -> None:
        self.driver.pause_writing()

    def resume_writing(self) -> None:
        self.driver.resume_writing()


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that looks at what it is made of."""

    __slots__ = ("between", "transport")

    def __init__(self, driver: Any, transport: Any, *rest: Any) -> None:
        super().__init__(driver, transport, *rest)
        assert transport.get_protocol() is driver
        self.transport, self.between = transport, Between(driver)
        transport.set_protocol(self.between)


async def test_another_protocol_can_still_stand_between_the_transport_and_the_driver(
    database: TaskDatabase,
) -> None:
    connection = await asyncpg.connect(database.task_app, connection_class=Connection)
    assert await connection.fetchval("select 6 * 7") == 42
    assert b"\x00\x00\x00*" in connection.between.received, "the answer came by this protocol"
    connection.between.pause_writing()
    connection.between.resume_writing()
    assert connection.transport.get_extra_info("ssl_object") is None
    await connection.close()
    assert connection.is_closed()
    assert connection.between.lost


@pytest.mark.parametrize("cut", [1, 5, 9])
async def test_the_driver_still_takes_what_it_is_given_message_by_message(
    database: TaskDatabase, cut: int
) -> None:
    """The pipeline hands over whole messages, each by itself; asyncpg would take parts as well."""

    class Cutting(Between):
        def data_received(self, data: bytes) -> None:
            for at in range(0, len(data), cut):
                self.driver.data_received(data[at : at + cut])

    class Cut(Connection):
        def __init__(self, driver: Any, transport: Any, *rest: Any) -> None:
            super().__init__(driver, transport, *rest)
            transport.set_protocol(Cutting(driver))

    connection = await asyncpg.connect(database.task_app, connection_class=Cut)
    assert await connection.fetchval("select repeat('x', 100)") == "x" * 100
    await connection.close()


def test_an_error_can_still_be_made_of_the_fields_that_postgresql_sends() -> None:
    fields = {"S": "FATAL", "V": "FATAL", "C": "57P01", "M": "the server stops"}
    error = asyncpg.PostgresError.new(fields)
    assert type(error) is asyncpg.AdminShutdownError
    assert (error.sqlstate, error.severity, error.severity_en) == ("57P01", "FATAL", "FATAL")
    assert error.args == ("the server stops",)
    unknown = asyncpg.PostgresError.new(fields | {"C": "XX999"})
    assert isinstance(unknown, asyncpg.PostgresError)
    assert unknown.sqlstate == "XX999"


async def test_a_server_without_tls_is_still_told_by_these_words() -> None:
    gone = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # SSLRequest
        writer.write(b"N")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
            await asyncpg.connect(f"postgresql://alice@127.0.0.1:{port}/tasks?sslmode=require")
        await gone.wait()
