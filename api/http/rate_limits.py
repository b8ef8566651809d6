"""How often one may ask: a user; and an address whose tokens are refused.

A window begins with the first request that is counted in it, and all are forgotten when it ends
(limits' fixed window).
"""

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import Final, final

from limits import RateLimitItem
from starlette.types import Scope

from api.auth.authenticator import User
from api.forwarded import network
from api.http.problems import Failure, Kind
from api.settings import Settings

HEADERS: Final = "task-api.ratelimit"  # in the scope: what the answer says of its user's limit
TIMEOUT: Final = 0.25  # seconds that Redis may take
PAUSE: Final = 5.0  # seconds until it is tried again
MOST: Final = 100_000  # windows in memory, some 30 MiB; then the oldest is forgotten
_CONNECTIONS: Final = 20  # to Redis

_log = logging.getLogger(__name__)


@final
class RateLimits:
    """What the settings allow, each process by itself or all that share a Redis."""

    def __init__(self, settings: Settings) -> None:
        user, address = settings.rate_limit, settings.rate_limit_address
        url = settings.rate_limit_storage.get_secret_value()
        self._shared = None if url == "memory://" else _Shared(url)
        self._user = _Limit("user", user, self._shared) if user else None
        self._address = _Limit("address", address, self._shared) if user and address else None

    def admit(self, scope: Scope) -> None:
        """Raises `Failure` when too many tokens from the request's address were refused."""
        if (limit := self._address) is None or (address := _address(scope)) is None:
            return
        if seconds := limit.spent(address):
            raise _too_many("Too many tokens from this address were refused", seconds)

    async def refused(self, scope: Scope) -> None:
        """Count a token that was refused against the request's address."""
        if (limit := self._address) is not None and (address := _address(scope)) is not None:
            await limit.count(address)

    async def count(self, scope: Scope, user: User) -> None:
        """Count a request of this user's. What the response is to say of it is left in the scope.

        Raises `Failure` when there were too many.
        """
        if (limit := self._user) is not None:
            count, seconds = await limit.count(user.id)
            scope[HEADERS] = limit.headers(count, seconds)
            if count > limit.amount:
                often = f"You may ask {limit.amount} times in {limit.seconds} seconds"
                raise _too_many(often, seconds)

    async def close(self) -> None:
        """Let go of Redis."""
        if self._shared is not None:
            await self._shared.close()


@dataclass(slots=True)
class _Window:
    ends: float  # by the monotonic clock
    count: int = 0


@final
class _Limit:
    """So many in so many seconds, for each name by itself.

    The windows are kept here and not in limits' MemoryStorage, which looks through all of them for
    each request: 1.3 ms with 10,000 users. These end in the order in which they began.
    """

    def __init__(self, name: str, rate: RateLimitItem, shared: "_Shared | None") -> None:
        self.amount, self.seconds = rate.amount, rate.get_expiry()
        self._name, self._rate, self._shared = name, rate, shared
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._policy = f'"{name}";q={self.amount};w={self.seconds}'.encode()

    async def count(self, who: str) -> tuple[int, int]:
        """Count one more: how many there are now, and the seconds until they are forgotten."""
        now = time.monotonic()
        window = self._windows.get(who)
        if fresh := window is None or window.ends <= now:
            window = self._begin(who, now)
        if (count := window.count) <= self.amount:  # beyond that there is nothing to count
            window.count = count = count + 1
            if self._shared is not None:
                key = self._rate.key_for(self._name, who)
                count = await self._shared.count(key, self.seconds, window, fresh)
        return count, self._left(window)

    def spent(self, who: str) -> int:
        """The seconds until one more may come; 0 when it may now.

        What others counted is known here once one more was counted: Redis is not asked.
        """
        window = self._windows.get(who)
        if window is None or window.count < self.amount or window.ends <= time.monotonic():
            return 0
        return self._left(window)

    def headers(self, count: int, seconds: int) -> list[tuple[bytes, bytes]]:
        """What an answer says of it (draft-ietf-httpapi-ratelimit-headers-10)."""
        left = f'"{self._name}";r={max(self.amount - count, 0)};t={seconds}'
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", left.encode())]

    def _begin(self, who: str, now: float) -> _Window:
        self._windows.pop(who, None)
        while self._windows and (
            len(self._windows) >= MOST or next(iter(self._windows.values())).ends <= now
        ):
            self._windows.popitem(last=False)
        self._windows[who] = window = _Window(now + self.seconds)
        return window

    @staticmethod
    def _left(window: _Window) -> int:
        return max(ceil(window.ends - time.monotonic()), 1)


@final
class _Shared:
    """Counts in Redis. While it is away, each process goes on by its own."""

    def __init__(self, url: str) -> None:
        # imported by those who have it: the extra `redis`
        from limits.aio.storage import RedisStorage
        from redis.asyncio import BlockingConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        self._pool = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, timeout=TIMEOUT, retry=Retry(NoBackoff(), 1)
        )
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="task-api",
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        self._failures = (RedisError, OSError, ValueError)
        self._away, self._again = False, 0.0

    async def count(self, key: str, seconds: int, window: _Window, fresh: bool) -> int:
        """Count one more: how many there are now. The window learns when it ends."""
        if trying := self._away:
            if (now := time.monotonic()) < self._again:
                return window.count
            self._again = now + PAUSE  # while one tries whether it is back, the others do not wait
        try:
            async with asyncio.timeout(TIMEOUT):
                count = await self._storage.incr(key, seconds)
                if count == 1:
                    window.ends = time.monotonic() + seconds
                elif fresh:
                    left = await self._storage.get_expiry(key) - time.time() + 0.5  # it is rounded
                    window.ends = time.monotonic() + min(left, seconds)
        except self._failures as error:
            if trying or not self._away:  # once for all that fail together
                name = type(error).__name__  # a message may quote what was sent
                _log.warning("Redis is away, each process counts by itself: %s", name)
            self._away, self._again = True, time.monotonic() + PAUSE
            return window.count
        self._away = False
        window.count = count
        return count

    async def close(self) -> None:
        await self._pool.disconnect()


def _too_many(reason: str, seconds: int) -> Failure:
    return Failure(
        Kind.RATE_LIMITED,
        f"{reason}; come back in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _address(scope: Scope) -> str | None:
    """Who is at the other end; behind a proxy that is trusted, whom it names.

    A Unix socket has no address, and all who come by it are not one stranger.
    """
    client = scope.get("client")
    return network(client[0]) if client else None
