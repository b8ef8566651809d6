"""One stream of server-sent events (HTML Standard, section 9.2): what it says next, and its end."""

import asyncio
import random
import time
from enum import StrEnum
from typing import Any, Final, final

from api.auth.authenticator import User
from api.database.pipeline import Row
from api.sync import tokens

PING_INTERVAL: Final = 15.0  # seconds
MIN_RECONNECT: Final = 1.0  # seconds that a client waits at least; so not all come at once
MAX_RECONNECT: Final = 5.0  # seconds

_PING: Final = b":\n\n"
_UNREAD: Final[Any] = object()  # no head yet


class Ending(StrEnum):
    """Why a stream has ended, for the log."""

    LEFT = "the client has left"
    EXPIRED = "the token has expired"
    STOPPED = "the server stops"


@final
class Stream:
    """An open stream of a user.

    It says that there is something new, and the token of it; one that its client has not read yet
    is replaced by the next.
    """

    __slots__ = (
        *("_head", "_is_behind", "_is_pinged", "_waiting"),
        *("ending", "events", "ping_at", "user"),
    )

    def __init__(self, user: User) -> None:
        self.user = user
        # a token that has just expired is accepted, for clocks differ
        self.ending = Ending.EXPIRED if time.time() >= user.expires else None
        self.events = 0  # that were sent
        self.ping_at = time.monotonic() + PING_INTERVAL
        self._head: Row | None = _UNREAD
        self._is_behind = self._is_pinged = False
        self._waiting: asyncio.Future[None] | None = None

    def begin(self, head: Row | None, since: str | None) -> None:
        """The user's head as it is, and the token that the client has, if any."""
        if self._head is _UNREAD:  # else it has been told meanwhile
            self._head = head
        self._is_behind |= since is not None and since != self._token()

    def tell(self, head: Row | None) -> None:
        """The user's head as it is."""
        if self._head != head:
            self._is_behind |= self._head is not _UNREAD
            self._head = head
            self._wake()

    def ping(self) -> None:
        """Say something, so that proxies keep the connection."""
        self.ping_at = time.monotonic() + PING_INTERVAL
        self._is_pinged = True
        self._wake()

    def end(self, ending: Ending) -> None:
        """End it at once."""
        self.ending = self.ending or ending
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def greeting(self) -> bytes:
        """What a stream begins with: when to come back, and what the client will say then."""
        pause = random.uniform(MIN_RECONNECT, MAX_RECONNECT)  # noqa: S311 - no secret
        known = b"" if self._is_behind else self._id()
        return b"retry: %d\n%b\n" % (pause * 1000, known)

    async def next(self) -> bytes:
        """What to send next, as soon as there is something; empty at the end."""
        while self.ending is None:
            if self._is_behind:
                self._is_behind = self._is_pinged = False
                self.events += 1
                # without a line of data a client does not see the event (section 9.2.6)
                return b"event: changed\n%bdata:\n\n" % (self._id() or b"id:\n")
            if self._is_pinged:
                self._is_pinged = False
                return _PING
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return b""

    def _id(self) -> bytes:
        """The token of the head; none before a user's first change, or after all is erased."""
        token = self._token()
        return b"id: %b\n" % token.encode() if token else b""

    def _token(self) -> str:
        return tokens.minted(self.user, self._head) if self._head else ""
