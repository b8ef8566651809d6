"""Connections, each lent to one borrower at a time, first come, first served."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, final

ACQUIRE_TIMEOUT: Final = 2.0  # seconds to wait for a connection
LENT: Final = 30.0  # seconds until a connection is ended, whatever it is doing
IDLE: Final = 300.0  # seconds that a connection is kept which nobody needs
_ROUND: Final = 0.1  # seconds between two looks at these; a timer for each would cost more


@final
class Pool:
    """At most `size` connections, opened by `connect` when they are needed.

    Of those at hand the one used last is lent first: the others grow old and are closed, so that
    a database nobody asks can go to sleep.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        self._places = size
        # Each since when, by the loop's clock; the oldest first.
        self._waiting: deque[tuple[asyncio.Future[None], float]] = deque()
        self._idle: dict[Any, float] = {}
        self._lent: dict[Any, float] = {}
        self._loop = asyncio.get_running_loop()
        self._round: asyncio.TimerHandle | None = None

    async def acquire(self) -> Any:
        """A connection in no transaction, to be released.

        Raises `TimeoutError` when none is free in time, and what `connect` raises.
        """
        if self._round is None:
            self._round = self._loop.call_later(_ROUND, self._go_round)
        if self._places:
            self._places -= 1
        else:
            await self._place()
        connection = None
        try:
            while self._idle and (connection is None or connection.is_closed()):
                connection, _ = self._idle.popitem()
            if connection is None or connection.is_closed():
                connection = await self._connect()
        except BaseException:
            self._leave()
            raise
        self._lent[connection] = self._loop.time()
        return connection

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
        await asyncio.gather(*(connection.close() for connection in idle))

    async def _place(self) -> None:
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((turn, self._loop.time()))
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
        while self._waiting and now - self._waiting[0][1] > ACQUIRE_TIMEOUT:
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
