"""Connections, each lent to one borrower at a time; users who wait are served in turn."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Final, NamedTuple, final

from api.database.pipeline import Connection

MAX_LEASE: Final = 30.0  # seconds until a connection is ended, whatever it is doing
MAX_IDLE: Final = 240.0  # seconds that an unused connection is kept; Neon sleeps after 300
MAX_WAITERS_PER_CONNECTION: Final = 100  # more than it serves in the time
_CLOSE: Final = 2.0  # seconds for a farewell
# A user's next slow transaction waits for so many times what the last one took, but not so long
# that it would not have its turn at all: so one user's searches leave the processors to others.
REST: Final = 39
MAX_REST: Final = 0.75  # of the time that may be waited for a connection
_ROUND: Final = 0.1  # seconds between two looks at these; a timer for each would cost more


# A request that waits: what ends its waiting, whether it is slow, and since when it waits.
_Turn = tuple[asyncio.Future[None], bool, float]
_Lines = OrderedDict[str | None, list[_Turn]]  # by user, each in the order of arrival


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

    A user holds at most `share` connections at a time, whether others wait or not: a statement
    cannot be taken back, so a share that grew while nobody waited would keep the next user waiting
    for as long as the first one's statements take. When all connections are in use, users are
    served in turn, each in the order of their requests.
    """

    def __init__(
        self,
        connect: Callable[[float], Awaitable[Connection]],
        size: int,
        timeout: float,
        share: int | None = None,
    ) -> None:
        """`share`: half of `size` unless said otherwise, and at least one."""
        self._connect = connect
        self._size = self._places = size
        self._share = max(1, size // 2) if share is None else share
        self._timeout = timeout
        self._held: dict[str | None, int] = {}  # connections, by who holds or opens them
        self._lines: _Lines = OrderedDict()  # whose turn is next comes first; None always
        self._slow: set[str | None] = set()  # users with a slow request that is in line, or served
        self._behind: _Lines = OrderedDict()  # slow requests behind another one of the same user
        self._waiting = 0  # in all of these lines
        self._idle: dict[Connection, float] = {}
        # to whom, whether for a slow transaction, and since when
        self._lent: dict[Connection, tuple[str | None, bool, float]] = {}
        self._loop = asyncio.get_running_loop()
        self._round: asyncio.TimerHandle | None = None

    @property
    def state(self) -> PoolState:
        """As it is now."""
        return PoolState(len(self._lent), len(self._idle), self._waiting)

    async def acquire(
        self, user: str | None = None, *, slow: bool = False, fresh: bool = False
    ) -> Connection:
        """A connection in no transaction, to be released.

        `user`: whose share it counts towards; None is the program itself, which has no share and
        is served first. `slow`: not before the user's last slow one is released, and REST is over.
        `fresh`: one that
        was opened just now; those at hand are ended, for one of their kind was broken. Raises
        `TimeoutError` when there is none in time, or too many wait to hope for one, and what
        `connect` raises.
        """
        asked = self._loop.time()
        if self._round is None:
            self._round = self._loop.call_later(_ROUND, self._expire_due)
        held = self._held.get(user, 0)
        if (
            self._places
            and (held < self._share or user is None)
            and not (slow and user in self._slow)
        ):
            self._places -= 1
            self._held[user] = held + 1
            if slow:
                self._slow.add(user)
        else:
            await self._acquire_slot((self._loop.create_future(), slow, asked), user)
        connection = None
        try:
            if fresh:
                self._end_idle()
            while self._idle and (connection is None or connection.is_closed()):
                connection, _ = self._idle.popitem()
            if connection is None or connection.is_closed():
                connection = await self._connect(asked + self._timeout - self._loop.time())
        except BaseException:
            self._release_slot(user, slow)
            raise
        self._lent[connection] = user, slow, self._loop.time()
        return connection

    @property
    def is_broken(self) -> bool:
        """Whether one of those at hand has broken."""
        return any(connection.is_closed() for connection in self._idle)

    def release(self, connection: Connection) -> None:
        """Take it back; it is ended unless it is open, asked nothing and in no transaction."""
        user, slow, since = self._lent.pop(connection)
        now = self._loop.time()
        if connection.pipeline.is_idle:
            self._idle[connection] = now
        else:
            connection.terminate()
        if slow:
            rest = min(REST * (now - since), MAX_REST * self._timeout)
            self._loop.call_later(rest, self._end_slow, user)
        self._release_slot(user, slow=False)

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

    async def _acquire_slot(self, turn: _Turn, user: str | None) -> None:
        """Wait for a place."""
        future, slow, _ = turn
        if self._waiting >= self._size * MAX_WAITERS_PER_CONNECTION:
            self._make_room(-1 if user is None else self._length(user))
        if slow and user in self._slow:
            self._behind.setdefault(user, []).append(turn)
        else:
            self._queue(turn, user)
        self._waiting += 1
        try:
            await future
        except BaseException:
            if future.cancelled():
                self._remove(turn, user)
            elif future.exception() is None:
                self._release_slot(user, slow)  # it came at the last moment, and is not needed
            raise

    def _queue(self, turn: _Turn, user: str | None) -> None:
        if turn[1]:
            self._slow.add(user)
        if (line := self._lines.get(user)) is None:
            self._lines[user] = [turn]
        else:
            line.append(turn)

    def _length(self, user: str | None) -> int:
        return len(self._lines.get(user, ())) + len(self._behind.get(user, ()))

    def _make_room(self, waiting: int) -> None:
        """Turn away one request of whoever has the most in line, if that is fairer.

        So whose requests fill the queue keeps nobody else out of it (RFC 8290, section 4.1.2). It
        is a slow one if there is any, and else the newest. `waiting`: how many of the newcomer's
        are in the queue. Raises `TimeoutError`.
        """
        users = (one for one in (*self._lines, *self._behind) if one is not None)
        user = max(users, key=self._length, default=None)
        if user is None or self._length(user) <= waiting + 1:
            raise TimeoutError
        turns = [*self._lines.get(user, ()), *self._behind.get(user, ())]
        self._turn_away(next((turn for turn in reversed(turns) if turn[1]), turns[-1]), user)

    def _turn_away(self, turn: _Turn, user: str | None) -> None:
        self._remove(turn, user)
        if not turn[0].done():
            turn[0].set_exception(TimeoutError())

    def _remove(self, turn: _Turn, user: str | None) -> None:
        for lines in (self._lines, self._behind):
            if (line := lines.get(user)) and turn in line:
                line.remove(turn)
                self._waiting -= 1
                if not line:
                    del lines[user]
                if turn[1] and lines is self._lines:
                    self._end_slow(user)
                return

    def _release_slot(self, user: str | None, slow: bool) -> None:
        """Give the place to whose turn it is."""
        self._places += 1
        held = self._held[user] - 1
        if held:
            self._held[user] = held
        else:
            del self._held[user]
        if slow:
            self._end_slow(user)
        if self._lines and self._places:
            self._serve_next()

    def _end_slow(self, user: str | None) -> None:
        """The user's next slow request is in line from now on."""
        if not (behind := self._behind.get(user)):
            self._slow.discard(user)
            return
        turn = behind.pop(0)
        if not behind:
            del self._behind[user]
        self._queue(turn, user)
        if self._places:
            self._serve_next()

    def _serve_next(self) -> None:
        for user in chain((None,), self._lines) if None in self._lines else self._lines:
            held = self._held.get(user, 0)
            if held >= self._share and user is not None:
                continue
            line = self._lines[user]
            for turn in line:
                if turn[0].done():  # given up, and about to leave
                    continue
                line.remove(turn)
                self._waiting -= 1
                self._places -= 1
                self._held[user] = held + 1
                if line:
                    self._lines.move_to_end(user)
                else:
                    del self._lines[user]
                turn[0].set_result(None)
                return

    def _expire_due(self) -> None:
        now = self._loop.time()
        late = [
            (turn, user)
            for lines in (self._lines, self._behind)
            for user, line in lines.items()
            for turn in line
            if now - turn[2] > self._timeout
        ]
        for turn, user in late:
            self._turn_away(turn, user)
        for connection, (_, _, since) in self._lent.items():
            if now - since > MAX_LEASE:
                connection.terminate()
        for connection, since in list(self._idle.items()):
            if now - since > MAX_IDLE:
                del self._idle[connection]
                connection.terminate()
        busy = self._waiting or self._held or self._idle
        self._round = self._loop.call_later(_ROUND, self._expire_due) if busy else None
