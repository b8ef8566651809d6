"""Statements sent in one go, and waited for once.

asyncpg waits for the answer to each statement before it sends the next (MagicStack/asyncpg#588 and
#839), which takes longer than the statements do. PostgreSQL takes as many as there are, answers in
their order, and after a failure skips all that is left of them (PostgreSQL manual, chapter
Frontend/Backend Protocol, sections Pipelining and Message Formats).
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

_KEPT: Final = 100  # prepared statements for each connection, as asyncpg has it


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
    """asyncpg's connection, which connects, signs in and closes, and a pipeline on it."""

    __slots__ = ("pipeline", "transport")

    def __init__(self, driver: Any, transport: Any, *rest: Any) -> None:
        super().__init__(driver, transport, *rest)
        self.transport: Final[asyncio.Transport] = transport
        self.pipeline: Final = Pipeline(driver, transport)


class _Prepared:
    """A statement that the server knows by a name; its columns, once it has told them.

    `alone`: what runs it without parameters.
    """

    __slots__ = ("alone", "columns", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name + b"\0"
        self.alone = bound(self.name, ())
        self.columns: list[Column] | None = None


class _Asked:
    """What was asked, in its order, and what has been answered so far."""

    __slots__ = ("answers", "failure", "prepared", "rows", "turn")

    def __init__(self, prepared: list[_Prepared], turn: asyncio.Future[list[list[Row]]]) -> None:
        self.prepared, self.turn = prepared, turn
        self.answers: list[list[Row]] = []
        self.rows: list[Row] = []  # of the answer that comes next
        self.failure: Exception | None = None

    @property
    def statement(self) -> _Prepared:
        """The one that is being answered."""
        return self.prepared[len(self.answers)]

    def end(self) -> None:
        """Tell whoever asked, if they still wait."""
        if self.turn.done():
            return
        if self.failure is not None:
            self.turn.set_exception(self.failure)
        else:
            self.turn.set_result(self.answers)


@final
class Pipeline(asyncio.Protocol):
    """Reads what answers its own calls, and leaves everything else to asyncpg's protocol.

    Whatever comes is cut into whole messages, also while nothing is asked: what PostgreSQL tells of
    its own accord (`UNASKED`) may come at any time, and in parts.

    `keeps_statements`: whether the next transaction will find what this one prepares. `is_idle`:
    whether nothing is asked and the server said last that there is no transaction.
    """

    def __init__(self, driver: asyncio.Protocol, transport: asyncio.Transport) -> None:
        self.keeps_statements = self.is_idle = True
        self._driver, self._transport = driver, transport
        self._loop = asyncio.get_running_loop()
        self._prepared: dict[str, _Prepared] = {}  # the one used last at the end
        self._names = count()
        self._status = IDLE
        self._asked: _Asked | None = None
        # Of a message that has come in part: the parts, their bytes, and the bytes to wait for.
        self._parts: list[bytes | bytearray] = []
        self._length = self._awaited = 0
        transport.set_protocol(self)

    @property
    def in_transaction(self) -> bool:
        """Whether one has begun and not ended."""
        return self._status != IDLE

    @property
    def has_failed(self) -> bool:
        """Whether a statement of this transaction failed, so that it can only be rolled back."""
        return self._status == FAILED

    async def run(self, *calls: Call) -> list[list[Row]]:
        """The rows of each.

        Raises what PostgreSQL says of the first that fails, and then those after it were not run;
        `NothingSent`, another `asyncpg.PostgresError`, or `asyncpg.InterfaceError`. Whoever is
        cancelled leaves the connection asked, until the answer has come.
        """
        if self._transport.is_closing():
            raise NothingSent("the connection was closed before")
        if self._asked is not None:
            raise asyncpg.InterfaceError("the connection is still being asked something else")
        message, prepared, new = self._message(calls)
        turn: asyncio.Future[list[list[Row]]] = self._loop.create_future()
        self._asked, self.is_idle = _Asked(prepared, turn), False
        self._transport.write(message)
        try:
            return await turn
        finally:
            for sql, statement in new.items():
                if statement.columns is not None:  # neither rejected nor skipped
                    self._prepared[sql] = statement

    async def read(self, sql: str) -> list[Row]:
        """The rows of a statement in a transaction of its own. Raises what `run` raises."""
        _, rows, _ = await self.run(BEGIN_READING, Call(sql), COMMIT)
        return rows

    def _message(
        self, calls: Sequence[Call]
    ) -> tuple[bytes, list[_Prepared], dict[str, _Prepared]]:
        """What is sent, the statement of each call, and those that may be kept from now on."""
        parts: list[bytes] = []
        asked: list[_Prepared] = []
        new: dict[str, _Prepared] = {}
        for sql, arguments in calls:
            if (prepared := self._prepared.pop(sql, None)) is not None:
                self._prepared[sql] = prepared
            elif (prepared := new.get(sql)) is None:
                if len(self._prepared) >= _KEPT:
                    forgotten = self._prepared.pop(next(iter(self._prepared)))
                    parts.append(sent(b"C", b"S", forgotten.name))
                name = b"task_api_%d" % next(self._names) if self.keeps_statements else b""
                prepared = _Prepared(name)
                parts += (
                    sent(b"P", prepared.name, sql.encode(), b"\0\0\0"),
                    sent(b"D", b"S", prepared.name),
                )
                if self.keeps_statements:
                    new[sql] = prepared
            asked.append(prepared)
            parts.append(bound(prepared.name, arguments) if arguments else prepared.alone)
        return b"".join((*parts, SYNC)), asked, new

    def data_received(self, data: bytes | bytearray) -> None:
        """Of a transport: some messages, or a part of one."""
        if self._parts:
            self._parts.append(data)
            self._length += len(data)
            if self._length < self._awaited:
                return
            data = b"".join(self._parts)
            self._parts = []
        asked, at, end = self._asked, 0, len(data)
        while (rest := end - at) >= HEAD:
            kind, size = MESSAGE.unpack_from(data, at)
            after = at + 1 + size
            if after > end:
                break
            if asked is None:
                if kind == READY:  # asyncpg asked
                    self._is_ready(data[at + 5])
                self._driver.data_received(bytes(data[at:after]))
            elif kind == COMPLETE:
                asked.answers.append(asked.rows)
                asked.rows = []
            elif kind == BOUND:
                pass
            elif kind == DATA:
                asked.rows.append(row(asked.statement.columns or (), data, at + 7))
            elif kind == READY:
                self._is_ready(data[at + 5])
                asked.end()
                asked = None
            elif kind == ERROR:
                asked.failure = _failure(data[at + 5 : after])
            elif kind in (COLUMNS, NO_COLUMNS):
                asked.statement.columns = columns(data, at + 5) if kind == COLUMNS else []
            elif kind in UNASKED:
                self._driver.data_received(bytes(data[at:after]))
            at = after
        if rest:
            self._parts.append(data[at:])
            self._length, self._awaited = rest, after - at if rest >= HEAD else HEAD

    def _is_ready(self, status: int) -> None:
        self._asked, self._status, self.is_idle = None, status, status == IDLE

    def connection_lost(self, exc: Exception | None) -> None:
        """Of a transport."""
        self.is_idle = False
        if (asked := self._asked) is not None:
            lost = asyncpg.ConnectionDoesNotExistError("the connection was lost meanwhile")
            asked.failure = asked.failure or lost
            asked.end()
        self._driver.connection_lost(exc)

    def pause_writing(self) -> None:
        """Of a transport."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """Of a transport."""
        self._driver.resume_writing()


def _failure(fields: bytes | bytearray) -> Exception:
    told = {field[:1].decode(): field[1:].decode() for field in fields.split(b"\0") if field}
    failure: Exception = asyncpg.PostgresError.new(told)
    return failure
