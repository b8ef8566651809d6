"""Connections, each lent to one borrower at a time; users who wait are served in turn."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, final

from api.database.pipeline import Connection

LENT: Final = 30.0  # seconds until a connection is ended, whatever it is doing
IDLE: Final = 240.0  # seconds that a connection is kept which nobody needs; Neon sleeps after 300
QUEUE: Final = 100  # who may wait for each connection: more than it serves in the time
_CLOSE: Final = 2.0  # seconds for a farewell
_ROUND: Final = 0.1  # seconds between two looks at these; a timer for each would cost more

_Turn = asyncio.Future[None]


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
        self._slow: set[str | None] = set()  # users of whom a slow transaction runs
        self._lines: OrderedDict[str | None, _Line] = (
            OrderedDict()
        )  # whose turn is next comes first
        self._waiting = 0  # in all of them
        self._idle: dict[Connection, float] = {}
        # to whom, whether for a slow transaction, and since when
        self._lent: dict[Connection, tuple[str | None, bool, float]] = {}
        self._loop = asyncio.get_running_loop()
        self._round: asyncio.TimerHandle | None = None
        self._now = 0.0  # by the loop's clock, at the last round: exact enough for what is lent

    @property
    def state(self) -> PoolState:
        """As it is now."""
        return PoolState(len(self._lent), len(self._idle), self._waiting)

    async def acquire(
        self, user: str | None = None, *, slow: bool = False, fresh: bool = False
    ) -> Connection:
        """A connection in no transaction, to be released.

        `user`: whose share it counts towards; None is the program itself, which has no share and
        is served first. `slow`: not before the user's last slow one is released. `fresh`: one that
        was opened just now; those at hand are ended, for one of their kind was broken. Raises
        `TimeoutError` when there is none in time, or too many wait to hope for one, and what
        `connect` raises.
        """
        if self._round is None:
            self._round = self._loop.call_later(_ROUND, self._go_round)
            self._now = self._loop.time()
        held, waited = self._held.get(user, 0), 0.0
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
            waited = await self._place(user, slow)
        connection = None
        try:
            if fresh:
                self._end_idle()
            while self._idle and (connection is None or connection.is_closed()):
                connection, _ = self._idle.popitem()
            if connection is None or connection.is_closed():
                connection = await self._connect(self._timeout - waited)
        except BaseException:
            self._leave(user, slow)
            raise
        self._lent[connection] = user, slow, self._now
        return connection

    @property
    def is_broken(self) -> bool:
        """Whether one of those at hand has broken."""
        return any(connection.is_closed() for connection in self._idle)

    def release(self, connection: Connection) -> None:
        """Take it back; it is ended unless it is open, asked nothing and in no transaction."""
        user, slow, _ = self._lent.pop(connection)
        if connection.pipeline.is_idle:
            self._idle[connection] = self._now
        else:
            connection.terminate()
        self._leave(user, slow)

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

    async def _place(self, user: str | None, slow: bool) -> float:
        """Wait for a place. Returns the seconds it took."""
        asked, line = self._loop.time(), self._lines.get(user)
        if self._waiting >= self._size * QUEUE:
            self._make_room(-1 if user is None else len(line or ()))
        if line is None:
            line = self._lines[user] = _Line()
            if user is None:
                self._lines.move_to_end(user, last=False)
        turn: _Turn = self._loop.create_future()
        line.of(slow)[turn] = asked
        self._waiting += 1
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._remove(user, slow, turn)
            elif turn.exception() is None:
                self._leave(user, slow)  # it came at the last moment, and is not needed any more
            raise
        return self._loop.time() - asked

    def _make_room(self, waiting: int) -> None:
        """Turn away the newest of whoever has the most requests in line, if that is fairer.

        So whose requests fill the queue keeps nobody else out of it (RFC 8290, section 4.1.2).
        `waiting`: how many of the newcomer's are in it. Raises `TimeoutError`.
        """
        lines = ((user, line) for user, line in self._lines.items() if user is not None)
        user, longest = max(lines, key=lambda one: len(one[1]), default=(None, _Line()))
        if len(longest) <= waiting + 1:
            raise TimeoutError
        slow = bool(longest.slow)
        turn = next(reversed(longest.of(slow)))
        self._remove(user, slow, turn)
        if not turn.done():
            turn.set_exception(TimeoutError())

    def _remove(self, user: str | None, slow: bool, turn: _Turn) -> None:
        line = self._lines.get(user)
        if line is None or line.of(slow).pop(turn, None) is None:
            return
        self._waiting -= 1
        if not len(line):
            del self._lines[user]

    def _leave(self, user: str | None, slow: bool) -> None:
        """Give the place to whose turn it is."""
        self._places += 1
        held = self._held[user] - 1
        if held:
            self._held[user] = held
        else:
            del self._held[user]
        if slow:
            self._slow.discard(user)
        if self._lines:
            self._serve_next()

    def _serve_next(self) -> None:
        for user, line in self._lines.items():
            held = self._held.get(user, 0)
            if held >= self._share and user is not None:
                continue
            turn, slow = line.first(slow_too=user not in self._slow)
            if turn is None:
                continue
            self._places -= 1
            self._held[user] = held + 1
            if slow:
                self._slow.add(user)
            if user is not None:
                self._lines.move_to_end(user)
            self._remove(user, slow, turn)
            turn.set_result(None)
            return

    def _go_round(self) -> None:
        self._now = now = self._loop.time()
        for user, line in list(self._lines.items()):
            for slow in (False, True):
                for turn in line.before(now - self._timeout, slow=slow):
                    self._remove(user, slow, turn)
                    if not turn.done():
                        turn.set_exception(TimeoutError())
        for connection, (_, _, since) in self._lent.items():
            if now - since > LENT:
                connection.terminate()
        for connection, since in list(self._idle.items()):
            if now - since > IDLE:
                del self._idle[connection]
                connection.terminate()
        busy = self._waiting or self._held or self._idle
        self._round = self._loop.call_later(_ROUND, self._go_round) if busy else None


@final
class _Line:
    """The requests of one user that wait, each since when; the oldest first."""

    __slots__ = ("quick", "slow")

    def __init__(self) -> None:
        self.quick: OrderedDict[_Turn, float] = OrderedDict()
        self.slow: OrderedDict[_Turn, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self.quick) + len(self.slow)

    def of(self, slow: bool) -> OrderedDict[_Turn, float]:
        return self.slow if slow else self.quick

    def before(self, moment: float, *, slow: bool) -> list[_Turn]:
        """Those that began to wait before it."""
        return [turn for turn, since in self.of(slow).items() if since < moment]

    def first(self, *, slow_too: bool) -> tuple[_Turn | None, bool]:
        """The one that has waited longest, and whether it is slow."""
        quick, slow = (
            next((turn for turn in waiting if not turn.done()), None)
            for waiting in (self.quick, self.slow)
        )
        if slow is None or not slow_too:
            return quick, False
        if quick is not None and self.quick[quick] <= self.slow[slow]:
            return quick, False
        return slow, True
