"""How a message reaches the other processes: PostgreSQL's LISTEN and NOTIFY, or Redis."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, final

from api.database.connector import CannotConnect, Connector
from api.database.errors import FAILURES as _DRIVER_FAILURES
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.session import Database
from api.http.shared_counters import cause
from api.settings import Settings

CHANNEL: Final = "task_api_changed"
DIAL_TIMEOUT: Final = 10  # seconds to connect and subscribe
SEND_TIMEOUT: Final = 2  # seconds that the last message may take, one to Redis, and closing
SILENCE: Final = 30  # seconds without a message until Redis is asked whether it is there
# TCP's own probes, which do not keep a serverless database awake as a statement would (tcp(7)).
_PROBES: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class ChannelDown(Exception):
    """Nothing can be sent or heard. The message is one line without secrets."""


class Channel(Protocol):
    """Carries messages between processes. Some may be lost."""

    async def send(self, messages: Sequence[str]) -> None:
        """Send these. Raises `ChannelDown`."""

    async def listen(self, began: Callable[[], None], heard: Callable[[str], None]) -> None:
        """Call `heard` with each message from now on, until cancelled; `began` once nothing is
        missed any more. Raises `ChannelDown`."""

    async def close(self) -> None:
        """Close the connections for sending."""


def channel_of(settings: Settings, database: Database) -> Channel | None:
    """The channel of these settings: LISTEN and NOTIFY, or Redis, or none."""
    if settings.listen_database_url is not None:
        return PostgresChannel(database, settings.listen_database_url.get_secret_value())
    return None if settings.shared_redis is None else RedisChannel(settings.shared_redis)


@final
class PostgresChannel:
    """Sends through the pool, which may lead through a pooler; listens on a direct connection."""

    def __init__(self, database: Database, url: str) -> None:
        self._database, self._connect = database, Connector(url)

    async def send(self, messages: Sequence[str]) -> None:
        try:
            await self._database.notify(CHANNEL, messages)
        except (DatabaseUnavailable, DatabaseError) as error:
            raise ChannelDown(str(error)) from None

    async def listen(self, began: Callable[[], None], heard: Callable[[str], None]) -> None:
        try:
            async with asyncio.timeout(DIAL_TIMEOUT):
                connection = await self._connect(DIAL_TIMEOUT)
        except (CannotConnect, TimeoutError) as error:
            raise ChannelDown(str(error) or "no connection in time") from None
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        try:
            _probe(connection.transport)
            async with asyncio.timeout(DIAL_TIMEOUT):
                await connection.add_listener(CHANNEL, lambda *notification: heard(notification[3]))
            began()
            await closed.wait()
        except _DRIVER_FAILURES as error:
            raise ChannelDown(type(error).__name__) from None
        finally:
            with suppress(*_DRIVER_FAILURES):
                await connection.close(timeout=SEND_TIMEOUT)
        raise ChannelDown("the connection was closed")

    async def close(self) -> None:
        """The pool is the database's."""


def _probe(transport: asyncio.Transport) -> None:
    """Let the system find out whether the other end is there still."""
    connection = transport.get_extra_info("socket")
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _PROBES.items():
            if option := getattr(socket, name, None):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


@final
class RedisChannel:
    """Publishes and subscribes in the Redis of the rate limits."""

    def __init__(self, url: str) -> None:
        # only installed with the extra `redis`
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        # it does not reconnect by itself: what was published meanwhile would go unnoticed
        self._redis: Any = Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=None)
        self._failures: Final = (RedisError, OSError, ValueError)

    async def send(self, messages: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                for message in messages:
                    await self._redis.publish(CHANNEL, message)
        except self._failures as error:
            raise ChannelDown(f"Redis: {cause(error)}") from None

    async def listen(self, began: Callable[[], None], heard: Callable[[str], None]) -> None:
        try:
            async with self._redis.pubsub() as subscription:
                async with asyncio.timeout(DIAL_TIMEOUT):
                    await subscription.subscribe(CHANNEL)
                was_asked = False
                while True:
                    message = await subscription.get_message(timeout=SILENCE)
                    if message is None and was_asked:
                        raise TimeoutError
                    was_asked = message is None
                    if message is None:
                        await subscription.ping()
                    elif message["type"] == "subscribe":
                        began()
                    elif message["type"] == "message":
                        heard(message["data"].decode(errors="replace"))
        except self._failures as error:
            raise ChannelDown(f"Redis: {cause(error)}") from None

    async def close(self) -> None:
        await self._redis.aclose()
