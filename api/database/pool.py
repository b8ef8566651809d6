"""The connection pool: a share per user, and a fair queue of waiting requests."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import chain
from math import inf
from typing import Final, NamedTuple, final

from api.database.pipeline import Connection

MAX_WAITERS_PER_CONNECTION: Final = 100  # more than it serves within the timeout
# After a slow transaction the user's next one waits REST times as long as the last one took, but at
# most MAX_REST of the pool's timeout: so one user's searches leave the processors to others.
REST: Final = 39
MAX_REST: Final = 0.75  # of the pool's timeout
EXPIRY_INTERVAL: Final = 0.1  # seconds between checks of these; a timer for each would cost more


# A waiting request: its future, whether it is slow, and since when it waits.
_Waiter = tuple[asyncio.Future[None], bool, float]
_Queues = OrderedDict[str | None, list[_Waiter]]  # by user, each in the order of arrival


class PoolState(NamedTuple):
    """How many connections are in use and idle, and how many requests wait."""

    in_use: int
    idle: int
    waiting: int


@final
class Pool:
    """At most `size` connections, opened on demand.

    `connect` takes the seconds it has. The most recently used idle connection is checked out first:
    the others reach `max_idle` and are closed, so that an unused database can go to sleep.

    A user holds at most `share` connections at a time, even while no other user waits: a running
    statement cannot be taken back, so with a larger share the next user would wait for as long as
    the first one's statements take. When all connections are in use, users are served in turn, each
    in the order of their requests.
    """

    def __init__(
        self,
        connect: Callable[[float], Awaitable[Connection]],
        size: int,
        timeout: float,
        share: int | None = None,
        *,
        max_lease: float = inf,
        max_idle: float = inf,
        max_close: float = inf,
    ) -> None:
        """`share`: half of `size` by default, and at least one. `max_lease`: the seconds until a
        connection in use is closed; `max_idle`: an idle one; `max_close`: that closing may take."""
        self._connect = connect
        self._size = self._places = size
        self._share = max(1, size // 2) if share is None else share
        self._timeout, self._max_lease, self._max_idle = timeout, max_lease, max_idle
        self._max_close = max_close
        self._held: dict[str | None, int] = {}  # connections held or being opened, by user
        self._queues: _Queues = OrderedDict()  # the user to serve next comes first; None always
        self._slow: set[str | None] = set()  # users with a slow request that is queued or served
        self._held_back: _Queues = OrderedDict()  # slow requests behind another of the same user
        self._waiting = 0  # in all of these queues
        self._idle: dict[Connection, float] = {}
        # the user, whether for a slow transaction, and since when
        self._in_use: dict[Connection, tuple[str | None, bool, float]] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> PoolState:
        """The current counts."""
        return PoolState(len(self._in_use), len(self._idle), self._waiting)

    async def acquire(
        self, user: str | None = None, *, slow: bool = False, fresh: bool = False
    ) -> Connection:
        """Check out a connection in no transaction, to be released.

        `user`: whose share it counts towards; None is the program itself, which has no share and is
        served first. `slow`: not before the user's last slow one is released, and REST is over.
        `fresh`: one that is opened now; idle ones are closed, for one of them was broken. Raises
        `TimeoutError` when there is none in time, or the queue is full, and what `connect` raises.
        """
        requested_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(EXPIRY_INTERVAL, self._expire_due)
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
            await self._acquire_slot((self._loop.create_future(), slow, requested_at), user)
        connection = None
        try:
            if fresh:
                self._end_idle()
            while self._idle and (connection is None or connection.is_closed()):
                connection, _ = self._idle.popitem()
            if connection is None or connection.is_closed():
                connection = await self._connect(requested_at + self._timeout - self._loop.time())
        except BaseException:
            self._release_slot(user, slow)
            raise
        self._in_use[connection] = user, slow, self._loop.time()
        return connection

    @property
    def is_broken(self) -> bool:
        """Whether an idle connection has broken."""
        return any(connection.is_closed() for connection in self._idle)

    def release(self, connection: Connection) -> None:
        """Take a connection back; it is closed unless it is open, idle and in no transaction."""
        user, slow, since = self._in_use.pop(connection)
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
        """Close the idle connections."""
        if self._timer is not None:
            self._timer.cancel()
        idle, self._idle = self._idle, {}
        closing = (connection.close(timeout=self._max_close) for connection in idle)
        await asyncio.gather(*closing, return_exceptions=True)

    def _end_idle(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()

    async def _acquire_slot(self, waiter: _Waiter, user: str | None) -> None:
        """Wait for a free slot."""
        future, slow, _ = waiter
        if self._waiting >= self._size * MAX_WAITERS_PER_CONNECTION:
            self._make_room(-1 if user is None else self._length(user))
        if slow and user in self._slow:
            self._held_back.setdefault(user, []).append(waiter)
        else:
            self._enqueue(waiter, user)
        self._waiting += 1
        try:
            await future
        except BaseException:
            if future.cancelled():
                self._remove(waiter, user)
            elif future.exception() is None:
                self._release_slot(user, slow)  # it came too late for the caller
            raise

    def _enqueue(self, waiter: _Waiter, user: str | None) -> None:
        if waiter[1]:
            self._slow.add(user)
        if (queue := self._queues.get(user)) is None:
            self._queues[user] = [waiter]
        else:
            queue.append(waiter)

    def _length(self, user: str | None) -> int:
        return len(self._queues.get(user, ())) + len(self._held_back.get(user, ()))

    def _make_room(self, waiting: int) -> None:
        """Reject a queued request of the user who has the most, if the new one's user has fewer.

        So a user who fills the queue does not keep others out of it (RFC 8290, section 4.1.2). A
        slow request is rejected first, else the newest. `waiting`: how many the new one's user has
        queued. Raises `TimeoutError`.
        """
        users = (one for one in (*self._queues, *self._held_back) if one is not None)
        user = max(users, key=self._length, default=None)
        if user is None or self._length(user) <= waiting + 1:
            raise TimeoutError
        waiters = [*self._queues.get(user, ()), *self._held_back.get(user, ())]
        self._reject(next((waiter for waiter in reversed(waiters) if waiter[1]), waiters[-1]), user)

    def _reject(self, waiter: _Waiter, user: str | None) -> None:
        self._remove(waiter, user)
        if not waiter[0].done():
            waiter[0].set_exception(TimeoutError())

    def _remove(self, waiter: _Waiter, user: str | None) -> None:
        for queues in (self._queues, self._held_back):
            if (queue := queues.get(user)) and waiter in queue:
                queue.remove(waiter)
                self._waiting -= 1
                if not queue:
                    del queues[user]
                if waiter[1] and queues is self._queues:
                    self._end_slow(user)
                return

    def _release_slot(self, user: str | None, slow: bool) -> None:
        """Free a slot, and serve the next user."""
        self._places += 1
        held = self._held[user] - 1
        if held:
            self._held[user] = held
        else:
            del self._held[user]
        if slow:
            self._end_slow(user)
        if self._queues and self._places:
            self._serve_next()

    def _end_slow(self, user: str | None) -> None:
        """Queue the user's next slow request, if one waits."""
        if not (held_back := self._held_back.get(user)):
            self._slow.discard(user)
            return
        waiter = held_back.pop(0)
        if not held_back:
            del self._held_back[user]
        self._enqueue(waiter, user)
        if self._places:
            self._serve_next()

    def _serve_next(self) -> None:
        for user in chain((None,), self._queues) if None in self._queues else self._queues:
            held = self._held.get(user, 0)
            if held >= self._share and user is not None:
                continue
            queue = self._queues[user]
            for waiter in queue:
                if waiter[0].done():  # cancelled or rejected, and about to be removed
                    continue
                queue.remove(waiter)
                self._waiting -= 1
                self._places -= 1
                self._held[user] = held + 1
                if queue:
                    self._queues.move_to_end(user)
                else:
                    del self._queues[user]
                waiter[0].set_result(None)
                return

    def _expire_due(self) -> None:
        now = self._loop.time()
        late = [
            (waiter, user)
            for queues in (self._queues, self._held_back)
            for user, queue in queues.items()
            for waiter in queue
            if now - waiter[2] > self._timeout
        ]
        for waiter, user in late:
            self._reject(waiter, user)
        for connection, (_, _, since) in self._in_use.items():
            if now - since > self._max_lease:
                connection.terminate()
        for connection, since in list(self._idle.items()):
            if now - since > self._max_idle:
                del self._idle[connection]
                connection.terminate()
        busy = self._waiting or self._held or self._idle
        self._timer = self._loop.call_later(EXPIRY_INTERVAL, self._expire_due) if busy else None
