"""Connections, each lent to one borrower at a time, first come, first served."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, final

LENT: Final = 30.0  # seconds until a connection is ended, whatever it is doing
IDLE: Final = 240.0  # seconds that a connection is kept which nobody needs; Neon sleeps after 300
QUEUE: Final = 100  # who may wait for each connection: more than it serves in the time
_CLOSE: Final = 2.0  # seconds for a farewell
_ROUND: Final = 0.1  # seconds between two looks at these; a timer for each would cost more


class PoolState(NamedTuple):
    """How many connections are lent and at hand, and how many borrowers wait."""

    in_use: int
    idle: int
    waiting: int


@final
class Pool:
    """At most `size` connections, opened when they are needed.

    `connect` takes the seconds it has. Of those at hand the one used last is lent first: the others
    grow old and are closed, so that a database nobody asks can go to sleep.
    """

    def __init__(
        self, connect: Callable[[float], Awaitable[Any]], size: int, timeout: float
    ) -> None:
        self._connect = connect
        self._size = self._places = size
        self._timeout = timeout
        # Each since when, by the loop's clock; the oldest first.
        self._waiting: deque[tuple[asyncio.Future[None], float]] = deque()
        self._idle: dict[Any, float] = {}
        self._lent: dict[Any, float] = {}
        self._loop = asyncio.get_running_loop()
        self._round: asyncio.TimerHandle | None = None

    @property
    def state(self) -> PoolState:
        """As it is now."""
        waiting = sum(not turn.done() for turn, _ in self._waiting)
        return PoolState(len(self._lent), len(self._idle), waiting)

    async def acquire(self, *, fresh: bool = False) -> Any:
        """A connection in no transaction, to be released.

        `fresh`: one that was opened just now; those at hand are ended, for one of their kind was
        broken. Raises `TimeoutError` when there is none in time, or too many wait to hope for one,
        and what `connect` raises.
        """
        asked = self._loop.time()
        if self._round is None:
            self._round = self._loop.call_later(_ROUND, self._go_round)
        if self._places:
            self._places -= 1
        else:
            await self._place(asked)
        connection = None
        try:
            if fresh:
                self._end_idle()
            while self._idle and (connection is None or connection.is_closed()):
                connection, _ = self._idle.popitem()
            if connection is None or connection.is_closed():
                connection = await self._connect(asked + self._timeout - self._loop.time())
        except BaseException:
            self._leave()
            raise
        self._lent[connection] = self._loop.time()
        return connection

    @property
    def is_broken(self) -> bool:
        """Whether one of those at hand has broken."""
        return any(connection.is_closed() for connection in self._idle)

    def release(self, connection: Any, *, sound: bool) -> None:
        """Take it back, in no transaction; one that is not `sound` is ended."""
        del self._lent[connection]
        if sound:
            self._idle[connection] = self._loop.time()
        else:
            connection.terminate()
        self._leave()

    async def close(self) -> None:
        """End what is at hand."""
        if self._round is not None:
            self._round.cancel()
        idle, self._idle = self._idle, {}
        farewells = (connection.close(timeout=_CLOSE) for connection in idle)
        await asyncio.gather(*farewells, return_exceptions=True)

    def _end_idle(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()

    async def _place(self, asked: float) -> None:
        if len(self._waiting) >= self._size * QUEUE:
            raise TimeoutError
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((turn, asked))
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave()  # it came at the last moment, and is not needed any more
            raise

    def _leave(self) -> None:
        """Give the place to who waits longest."""
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._places += 1

    def _go_round(self) -> None:
        now = self._loop.time()
        while self._waiting and now - self._waiting[0][1] > self._timeout:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(TimeoutError())
        for connection, since in self._lent.items():
            if now - since > LENT:
                connection.terminate()
        for connection, since in list(self._idle.items()):
            if now - since > IDLE:
                del self._idle[connection]
                connection.terminate()
        busy = self._waiting or self._lent or self._idle
        self._round = self._loop.call_later(_ROUND, self._go_round) if busy else None
