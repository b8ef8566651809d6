"""Connection limits, per process and per client address, and a limit on unsent response bytes.

The limits are checked when a connection is made. At a limit, the oldest connection that has not
sent a request yet is closed, else the one that has been idle longest; if all of them have requests,
those of the new connection are refused.
"""

import socket
import struct
import time
from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Any, Final, Protocol, final

MAX_CONNECTIONS: Final = 2000  # of a process, by default
SHARE_OF_ADDRESS: Final = 4  # by default, an address may have a quarter of the connections
KEEP_ALIVE: Final = 65  # seconds between requests, by default; more than the 60 of common proxies
MIB: Final = 1024 * 1024
_NO_LINGER: Final = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds


class Connection(Protocol):
    """The interface of a connection that the limits need."""

    @property
    def unsent(self) -> int:
        """Bytes of responses that the kernel has not taken yet."""

    def make_room(self) -> None:
        """Close it in favour of another connection."""

    def abort(self) -> None:
        """Close it at once; unsent bytes are lost."""


@final
class CountingTransport:
    """An asyncio transport that counts the bytes written to it."""

    def __init__(self, transport: Any) -> None:
        self._transport, self._write = transport, transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.written = 0

    def write(self, data: bytes) -> None:
        """Write and count."""
        self.written += len(data)
        self._write(data)

    def abort(self) -> None:
        """Reset the connection: the kernel discards its unsent bytes, too (socket(7))."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Group:
    """Connections that share a limit, in the order in which they were made."""

    __slots__ = ("limit", "places")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.places: dict[Place, None] = {}

    def make_room(self) -> None:
        """At the limit, close the connection that is silent or idle longest; one with unsent bytes
        only if there is no other."""
        if len(self.places) < self.limit:
            return
        longest = min(self.places, key=_SINCE)
        if longest.connection.unsent:
            drained = (place for place in self.places if not place.connection.unsent)
            other = min(drained, key=_SINCE, default=longest)
            longest = other if other.since < _BUSY else longest
        if longest.since < _BUSY:
            longest.leave()
            longest.connection.make_room()


@final
class Place:
    """A connection's entry in its limits, from `Connections.join` until `leave`.

    `since`: when it became idle, by the monotonic clock; earlier than all of these until its first
    request, and `_BUSY` while it has one. `is_admitted`: whether its requests are served.
    """

    __slots__ = ("_connections", "_groups", "address", "connection", "is_admitted", "since")

    def __init__(
        self,
        connections: "Connections",
        groups: tuple[_Group, ...],
        address: str | None,
        connection: Connection,
    ) -> None:
        self._connections, self._groups = connections, groups
        self.address, self.connection = address, connection
        self.since = time.monotonic() - _SILENT_OFFSET
        for group in groups:
            group.places[self] = None
        self.is_admitted = False
        self.admit()

    def admit(self) -> bool:
        """Check the limits again; whether its requests are served from now on."""
        self.is_admitted = all(len(group.places) <= group.limit for group in self._groups)
        return self.is_admitted

    def idle(self) -> None:
        """It has no request: it may be closed for another."""
        self.since = time.monotonic()

    def work(self) -> None:
        """It has a request: it is not closed for another."""
        self.since = _BUSY

    def leave(self) -> None:
        """Remove it from its limits. Idempotent."""
        for group in self._groups:
            del group.places[self]
        self._groups = ()
        self._connections.left(self)


_SINCE: Final = attrgetter("since")
_BUSY: Final = inf
_SILENT_OFFSET: Final = 1e9  # seconds, longer than any connection lives


@final
class Connections:
    """The connections of one process, at most `limit`, and `limit_per_address` of each address.

    `max_unsent`: bytes of all of them; past it the connection with the oldest unsent bytes is
    reset.
    """

    def __init__(self, limit: int, limit_per_address: int | None, max_unsent: int) -> None:
        self._all = _Group(limit)
        self._limit_per_address = limit_per_address or max(limit // SHARE_OF_ADDRESS, 1)
        self._addresses: dict[str, _Group] = {}
        self._max_unsent = max_unsent
        self._unsent: dict[Place, float] = {}  # since when; oldest first

    def join(self, connection: Connection, address: str | None) -> Place:
        """Add a new connection, making room for it. `address`: None is exempt from its limit."""
        groups: tuple[_Group, ...] = (self._all,)
        if address is not None:
            group = self._addresses.get(address)
            if group is None:
                group = self._addresses[address] = _Group(self._limit_per_address)
            groups = (group, self._all)
        for group in groups:
            group.make_room()
        return Place(self, groups, address, connection)

    def left(self, place: Place) -> None:
        """Called by `Place.leave`."""
        self._unsent.pop(place, None)
        group = self._addresses.get(place.address or "")
        if group is not None and not group.places:
            del self._addresses[place.address or ""]

    def unread(self, place: Place) -> None:
        """The connection has unsent bytes; enforces `max_unsent`."""
        self._unsent.setdefault(place, time.monotonic())
        total = sum(one.connection.unsent for one in self._unsent)
        while total > self._max_unsent:
            oldest = next(iter(self._unsent))
            total -= oldest.connection.unsent
            del self._unsent[oldest]
            oldest.connection.abort()

    def read(self, place: Place) -> None:
        """The connection has no unsent bytes left, or only new ones."""
        self._unsent.pop(place, None)
