"""Pipelining: several statements in one round trip to PostgreSQL.

asyncpg waits for the response to each statement before it sends the next (MagicStack/asyncpg#588
and #839), which takes longer than the statements do. PostgreSQL accepts any number, responds in
their order, and after an error skips the rest (PostgreSQL manual, chapter Frontend/Backend
Protocol, sections Pipelining and Message Formats).
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple, final

import asyncpg

from api.database.messages import (
    BOUND,
    COLUMNS,
    COMPLETE,
    DATA,
    ERROR,
    FAILED,
    HEAD,
    IDLE,
    MESSAGE,
    NO_COLUMNS,
    READY,
    SYNC,
    UNASKED,
    Column,
    bound,
    columns,
    row,
    sent,
)
from api.database.messages import Row as Row

_MAX_PREPARED: Final = 100  # prepared statements per connection, as in asyncpg


class NothingSent(asyncpg.ConnectionDoesNotExistError):  # type: ignore[misc]
    """The connection was found closed before anything was sent, so nothing was done."""


class Call(NamedTuple):
    """SQL with `$1`-style parameters, and their values: text, numbers, dates, lists of these."""

    sql: str
    arguments: Sequence[object] = ()


BEGIN: Final = Call("begin")
BEGIN_READING: Final = Call("begin read only")
COMMIT: Final = Call("commit")
ROLLBACK: Final = Call("rollback")


@final
class Connection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's connection, which connects, authenticates and closes, with a `Pipeline` on it."""

    __slots__ = ("pipeline", "transport")

    def __init__(self, driver: Any, transport: Any, *rest: Any) -> None:
        super().__init__(driver, transport, *rest)
        self.transport: Final[asyncio.Transport] = transport
        self.pipeline: Final = Pipeline(driver, transport)


class _Prepared:
    """A prepared statement: its name on the server, and its columns once the server has sent them.

    `alone`: the message that runs it without parameters.
    """

    __slots__ = ("alone", "columns", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name + b"\0"
        self.alone = bound(self.name, ())
        self.columns: list[Column] | None = None


class _Batch:
    """The statements that were sent, in order, and the results received so far."""

    __slots__ = ("failure", "future", "prepared", "results", "rows")

    def __init__(self, prepared: list[_Prepared], future: asyncio.Future[list[list[Row]]]) -> None:
        self.prepared, self.future = prepared, future
        self.results: list[list[Row]] = []
        self.rows: list[Row] = []  # of the next result
        self.failure: Exception | None = None

    @property
    def statement(self) -> _Prepared:
        """The statement whose result comes next."""
        return self.prepared[len(self.results)]

    def end(self) -> None:
        """Resolve the caller's future, unless it was cancelled."""
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.results)


@final
class Pipeline(asyncio.Protocol):
    """Reads the responses to its own calls, and passes everything else to asyncpg's protocol.

    The input is split into whole messages at all times: what PostgreSQL sends unrequested
    (`UNASKED`) may come at any moment, and in parts.

    `keeps_statements`: whether statements prepared now exist in the next transaction. `is_idle`:
    whether nothing is pending and, by the server's last message, no transaction is open.
    """

    def __init__(self, driver: asyncio.Protocol, transport: asyncio.Transport) -> None:
        self.keeps_statements = self.is_idle = True
        self._driver, self._transport = driver, transport
        self._loop = asyncio.get_running_loop()
        self._prepared: dict[str, _Prepared] = {}  # least recently used first
        self._names = count()
        self._status = IDLE
        self._batch: _Batch | None = None
        # Of an incomplete message: its parts, their bytes, and the bytes to wait for.
        self._parts: list[bytes | bytearray] = []
        self._length = self._awaited = 0
        transport.set_protocol(self)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._status != IDLE

    @property
    def has_failed(self) -> bool:
        """Whether a statement of this transaction failed, so that it can only be rolled back."""
        return self._status == FAILED

    async def run(self, *calls: Call) -> list[list[Row]]:
        """Run the calls in one round trip; the rows of each.

        Raises PostgreSQL's error of the first call that fails (those after it are not run);
        `NothingSent`, another `asyncpg.PostgresError`, or `asyncpg.InterfaceError`. After a
        cancellation the connection stays busy until the response has arrived.
        """
        if self._transport.is_closing():
            raise NothingSent("the connection was closed before")
        if self._batch is not None:
            raise asyncpg.InterfaceError("the connection is still being asked something else")
        message, prepared, new = self._message(calls)
        future: asyncio.Future[list[list[Row]]] = self._loop.create_future()
        self._batch, self.is_idle = _Batch(prepared, future), False
        self._transport.write(message)
        try:
            return await future
        finally:
            for sql, statement in new.items():
                if statement.columns is not None:  # neither rejected nor skipped
                    self._prepared[sql] = statement

    async def read(self, sql: str) -> list[Row]:
        """The rows of a statement, run in a transaction of its own. Raises what `run` raises."""
        _, rows, _ = await self.run(BEGIN_READING, Call(sql), COMMIT)
        return rows

    def _message(
        self, calls: Sequence[Call]
    ) -> tuple[bytes, list[_Prepared], dict[str, _Prepared]]:
        """The bytes to send, the statement of each call, and those newly prepared, by SQL."""
        parts: list[bytes] = []
        statements: list[_Prepared] = []
        new: dict[str, _Prepared] = {}
        for sql, arguments in calls:
            if (prepared := self._prepared.pop(sql, None)) is not None:
                self._prepared[sql] = prepared
            elif (prepared := new.get(sql)) is None:
                if len(self._prepared) >= _MAX_PREPARED:
                    evicted = self._prepared.pop(next(iter(self._prepared)))
                    parts.append(sent(b"C", b"S", evicted.name))
                name = b"task_api_%d" % next(self._names) if self.keeps_statements else b""
                prepared = _Prepared(name)
                parts += (
                    sent(b"P", prepared.name, sql.encode(), b"\0\0\0"),
                    sent(b"D", b"S", prepared.name),
                )
                if self.keeps_statements:
                    new[sql] = prepared
            statements.append(prepared)
            parts.append(bound(prepared.name, arguments) if arguments else prepared.alone)
        return b"".join((*parts, SYNC)), statements, new

    def data_received(self, data: bytes | bytearray) -> None:
        """Called by the transport with messages, or a part of one."""
        if self._parts:
            self._parts.append(data)
            self._length += len(data)
            if self._length < self._awaited:
                return
            data = b"".join(self._parts)
            self._parts = []
        batch, at, end = self._batch, 0, len(data)
        while (rest := end - at) >= HEAD:
            kind, size = MESSAGE.unpack_from(data, at)
            after = at + 1 + size
            if after > end:
                break
            if batch is None:
                if kind == READY:  # of asyncpg's own query
                    self._set_ready(data[at + 5])
                self._driver.data_received(bytes(data[at:after]))
            elif kind == COMPLETE:
                batch.results.append(batch.rows)
                batch.rows = []
            elif kind == BOUND:
                pass
            elif kind == DATA:
                batch.rows.append(row(batch.statement.columns or (), data, at + 7))
            elif kind == READY:
                self._set_ready(data[at + 5])
                batch.end()
                batch = None
            elif kind == ERROR:
                batch.failure = _failure(data[at + 5 : after])
            elif kind in (COLUMNS, NO_COLUMNS):
                batch.statement.columns = columns(data, at + 5) if kind == COLUMNS else []
            elif kind in UNASKED:
                self._driver.data_received(bytes(data[at:after]))
            at = after
        if rest:
            self._parts.append(data[at:])
            self._length, self._awaited = rest, after - at if rest >= HEAD else HEAD

    def _set_ready(self, status: int) -> None:
        self._batch, self._status, self.is_idle = None, status, status == IDLE

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        self.is_idle = False
        if (batch := self._batch) is not None:
            lost = asyncpg.ConnectionDoesNotExistError("the connection was lost meanwhile")
            batch.failure = batch.failure or lost
            batch.end()
        self._driver.connection_lost(exc)

    def pause_writing(self) -> None:
        """Called by the transport."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """Called by the transport."""
        self._driver.resume_writing()


def _failure(fields: bytes | bytearray) -> Exception:
    values = {field[:1].decode(): field[1:].decode() for field in fields.split(b"\0") if field}
    failure: Exception = asyncpg.PostgresError.new(values)
    return failure
