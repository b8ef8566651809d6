"""Counters in Redis that processes share, for rate limits."""

import asyncio
import logging
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final, Self, final

from api.settings import RateLimitSettings

PAUSE: Final = 5.0  # seconds until Redis is tried again, or asked again whether it is up
_CONNECTIONS: Final = 20  # to Redis
_PROBE: Final = "probe"  # a counter that ends after a second
# What a server says of AUTH and SELECT, and what it means. Its other messages may quote a command.
_REFUSALS: Final = {
    "without any password configured": "it has no password, and the URL has one",
    "no password is set": "it has no password, and the URL has one",
    "already authenticated": "it wants a password, and the URL has none",
    "uthentication required": "it wants a password, and the URL has none",
    "invalid username-password": "it refuses the user or the password",
    "invalid password": "it refuses the user or the password",
    "DB index": "it has no database of that number",
    "out of range": "it has no database of that number",
}
_CODE: Final = re.compile(r"[A-Z]{3,20}\b")

_log = logging.getLogger(__name__)


@final
class SharedCounters:
    """Counters in Redis. While it is unavailable, each process counts alone."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: the seconds that Redis may take."""
        # only installed with the extra `redis`
        from limits.aio.storage import RedisStorage
        from redis.asyncio import BlockingConnectionPool
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        self._timeout = timeout
        self._pool = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, timeout=timeout, retry=Retry(NoBackoff(), 1)
        )
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="task-api",
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        self.failures: Final = (RedisError, OSError, ValueError)
        self._is_up, self._ask_at = True, 0.0

    @classmethod
    def of(cls, settings: RateLimitSettings) -> Self | None:
        """The counters of these settings; None if each process counts by itself."""
        url = settings.rate_limit_storage.get_secret_value()
        return None if url == "memory://" else cls(url, settings.rate_limit_storage_timeout)

    async def count(
        self, key: str, seconds: int, *, fresh: bool
    ) -> tuple[int, float | None] | None:
        """Count one more in the window of this key, which ends `seconds` after its first.

        Returns the count, and when the window ends by the monotonic clock: if it has just begun, or
        if it is `fresh` to this process. None while Redis is unavailable.
        """
        if retrying := not self._is_up:
            if (now := time.monotonic()) < self._ask_at:
                return None
            self._ask_at = now + PAUSE  # one request retries, the others do not wait
        ends = None
        try:
            async with asyncio.timeout(self._timeout):
                count = await self._storage.incr(key, seconds)
                if count == 1:
                    ends = time.monotonic() + seconds
                elif fresh:
                    left = await self._storage.get_expiry(key) - time.time() + 0.5  # it is rounded
                    ends = time.monotonic() + min(left, seconds)
        except self.failures as error:
            self._fail(error, retrying)
            return None
        self._succeed()
        return count, ends

    async def check(self) -> bool:
        """Whether Redis is up; it is asked if nobody has asked for PAUSE seconds."""
        if (now := time.monotonic()) >= self._ask_at:
            self._ask_at, retrying = now + PAUSE, not self._is_up
            try:
                await self.probe()
            except self.failures as error:
                self._fail(error, retrying)
            else:
                self._succeed()
        return self._is_up

    async def probe(self) -> None:
        """Count as requests are counted. Raises one of `failures`."""
        async with asyncio.timeout(self._timeout):
            await self._storage.incr(_PROBE, 1)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()

    def _succeed(self) -> None:
        if not self._is_up:
            _log.info("Redis is back, the counts are shared")
        self._is_up, self._ask_at = True, time.monotonic() + PAUSE

    def _fail(self, error: Exception, retrying: bool) -> None:
        if retrying or self._is_up:  # log once for all that fail together
            _log.warning("Redis is away, each process counts by itself: %s", cause(error))
        self._is_up, self._ask_at = False, time.monotonic() + PAUSE


def cause(error: Exception) -> str:
    """Why Redis cannot be used: the error's type and reason, without its message, which may quote
    what was sent."""
    name = type(error).__name__
    reason = next((found for one in _chain(error) if (found := _reason(one))), "")
    return f"{name}: {reason}" if reason else name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError) or type(error).__name__ == "TimeoutError":
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error.strerror}"
    if isinstance(error, socket.gaierror):
        return error.strerror or ""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else ""
    message = str(error)
    for words, meaning in _REFUSALS.items():
        if words in message:
            return meaning
    code = _CODE.match(message)
    return code[0] if code else ""
