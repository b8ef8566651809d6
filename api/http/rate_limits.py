"""Rate limits: requests of a user, and refused tokens of an IP address.

Fixed windows (as in limits): a window begins with the first request that it counts.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import Final, final

from limits import RateLimitItem
from starlette.types import Scope

from api.auth.authenticator import User
from api.forwarded import network
from api.http.problems import Failure, Kind
from api.http.shared_counters import SharedCounters
from api.settings import RateLimitSettings

HEADERS: Final = "task-api.ratelimit"  # in the scope: the RateLimit headers of the response
MOST: Final = 100_000  # windows in memory, at most 30 MiB; then the oldest is dropped
_LONGEST_KEY: Final = 40  # characters; UUIDs and networks are shorter
_DIGEST: Final = 16  # bytes, instead of a longer key


@final
class RateLimits:
    """The rate limits of the settings, counted in this process or in a shared Redis."""

    def __init__(self, settings: RateLimitSettings) -> None:
        user, address = settings.rate_limit, settings.rate_limit_address
        self._shared = SharedCounters.of(settings) if user else None
        self._user = _Limit("user", user, self._shared) if user else None
        self._address = _Limit("address", address, self._shared) if user and address else None

    def admit(self, scope: Scope) -> None:
        """Raises `Failure` when too many tokens from the client's IP address were refused."""
        if (limit := self._address) is None or (address := _address(scope)) is None:
            return
        if seconds := limit.spent(address):
            raise _too_many("Too many tokens from this address were refused", seconds)

    async def refused(self, scope: Scope) -> None:
        """Count a refused token against the client's IP address."""
        if (limit := self._address) is not None and (address := _address(scope)) is not None:
            await limit.count(address)

    async def count(self, scope: Scope, user: User) -> None:
        """Count a request of this user, and put the RateLimit headers into the scope.

        Raises `Failure` when there were too many.
        """
        if (limit := self._user) is not None:
            count, seconds = await limit.count(user.id)
            scope[HEADERS] = limit.headers(count, seconds)
            if count > limit.amount:
                often = f"You may ask {limit.amount} times in {limit.seconds} seconds"
                raise _too_many(often, seconds)

    async def is_storage_up(self) -> bool | None:
        """Whether the shared counters can be used, as of some seconds ago; None without any."""
        return None if self._shared is None else await self._shared.check()

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()


@dataclass(slots=True)
class _Window:
    ends: float  # by the monotonic clock
    count: int = 0


@final
class _Limit:
    """A fixed-window limit: `amount` in `seconds`, for each user or IP address.

    The windows are kept here and not in limits' MemoryStorage, which iterates over all of them for
    each request: 1.3 ms with 10,000 users. Here they end in the order in which they began.
    """

    def __init__(self, name: str, rate: RateLimitItem, shared: SharedCounters | None) -> None:
        self.amount, self.seconds = rate.amount, rate.get_expiry()
        self._name, self._rate, self._shared = name, rate, shared
        self._windows: OrderedDict[str | bytes, _Window] = OrderedDict()
        self._policy = f'"{name}";q={self.amount};w={self.seconds}'.encode()

    async def count(self, who: str) -> tuple[int, int]:
        """Count one more; returns the count and the seconds until the window ends."""
        now, key = time.monotonic(), _short(who)
        window = self._windows.get(key)
        if fresh := window is None or window.ends <= now:
            window = self._begin(key, now)
        if (count := window.count) <= self.amount:  # past the limit it stays refused
            window.count = count = count + 1
            if self._shared is not None:
                shared_key = self._rate.key_for(self._name, who)
                if shared := await self._shared.count(shared_key, self.seconds, fresh=fresh):
                    window.count, ends = shared
                    window.ends = ends or window.ends
                count = window.count
        return count, self._seconds_left(window)

    def spent(self, who: str) -> int:
        """The seconds until one more is allowed; 0 if it is now.

        Does not query Redis: counts of other processes are seen at the next `count`.
        """
        window = self._windows.get(_short(who))
        if window is None or window.count < self.amount or window.ends <= time.monotonic():
            return 0
        return self._seconds_left(window)

    def headers(self, count: int, seconds: int) -> list[tuple[bytes, bytes]]:
        """The RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10)."""
        left = f'"{self._name}";r={max(self.amount - count, 0)};t={seconds}'
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", left.encode())]

    def _begin(self, key: str | bytes, now: float) -> _Window:
        self._windows.pop(key, None)
        while self._windows and (
            len(self._windows) >= MOST or next(iter(self._windows.values())).ends <= now
        ):
            self._windows.popitem(last=False)
        self._windows[key] = window = _Window(now + self.seconds)
        return window

    @staticmethod
    def _seconds_left(window: _Window) -> int:
        return max(ceil(window.ends - time.monotonic()), 1)


def _short(who: str) -> str | bytes:
    """As it is, or a digest of it: a user id may take a kilobyte, and the windows are many."""
    if len(who) <= _LONGEST_KEY and who.isascii():
        return who
    return blake2b(who.encode(), digest_size=_DIGEST).digest()


def _too_many(reason: str, seconds: int) -> Failure:
    return Failure(
        Kind.RATE_LIMITED,
        f"{reason}; come back in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _address(scope: Scope) -> str | None:
    """The client's network: of the peer, or of the client that a trusted proxy names.

    None on a Unix socket, whose clients must not share one limit.
    """
    client = scope.get("client")
    return network(client[0]) if client else None
