"""Who may stay connected to a process when it is full, and how much it holds for who reads nothing.

A connection is judged when it is made. Where its process or its address is full, the connection
that has been idle longest ends, and before it the one that has been silent longest since it was
made; where all are at work, the newcomer's requests are refused.
"""

import socket
import struct
import time
from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Any, Final, Protocol, final

MAX_CONNECTIONS: Final = 2000  # of a process, unless said otherwise
SHARE_OF_ADDRESS: Final = 4  # an address has a quarter of the connections unless said otherwise
MIB: Final = 1024 * 1024
_AT_ONCE: Final = struct.pack("ii", 1, 0)  # lingers for no second


class Connection(Protocol):
    """One connection, as seen from here."""

    @property
    def unsent(self) -> int:
        """Bytes of responses that the client has not taken yet."""

    def make_room(self) -> None:
        """End it, for another connection needs its place."""

    def abort(self) -> None:
        """End it at once; what is unsent is lost."""


@final
class CountingTransport:
    """A transport that counts the bytes that it is given to send."""

    def __init__(self, transport: Any) -> None:
        self._transport, self._write = transport, transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.written = 0

    def write(self, data: bytes) -> None:
        """Of a transport."""
        self.written += len(data)
        self._write(data)

    def abort(self) -> None:
        """Reset the connection: the kernel gives up what it has to send, too (socket(7))."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
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
        """End the connection that is silent or idle longest; one with unsent bytes only if there is
        no other."""
        if len(self.places) < self.limit:
            return
        longest = min(self.places, key=_SINCE)
        if longest.connection.unsent:
            taken = (place for place in self.places if not place.connection.unsent)
            other = min(taken, key=_SINCE, default=longest)
            longest = other if other.since < _AT_WORK else longest
        if longest.since < _AT_WORK:
            longest.leave()
            longest.connection.make_room()


@final
class Place:
    """A connection's place among the others, from `Connections.join` until it leaves.

    `since`: when it became idle, by a clock; earlier than any of these while it is silent, and
    `_AT_WORK` while it has a request. `is_admitted`: whether its requests are served.
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
        self.since = time.monotonic() - _BEFORE
        for group in groups:
            group.places[self] = None
        self.is_admitted = False
        self.admit()

    def admit(self) -> bool:
        """Whether its requests are served from now on: it finds room."""
        self.is_admitted = all(len(group.places) <= group.limit for group in self._groups)
        return self.is_admitted

    def idle(self) -> None:
        """It has no request: it may have to make room."""
        self.since = time.monotonic()

    def work(self) -> None:
        """It has a request: it stays."""
        self.since = _AT_WORK

    def leave(self) -> None:
        """It ends. Doing so twice changes nothing."""
        for group in self._groups:
            del group.places[self]
        self._groups = ()
        self._connections.left(self)


_SINCE: Final = attrgetter("since")
_AT_WORK: Final = inf
_BEFORE: Final = 1e9  # seconds: longer than any connection


@final
class Connections:
    """The connections of one process, at most `limit`, and `limit_per_address` of each address.

    `max_unsent` is in bytes: past it the connection with the oldest unsent bytes ends.
    """

    def __init__(self, limit: int, limit_per_address: int | None, max_unsent: int) -> None:
        self._all = _Group(limit)
        self._limit_per_address = limit_per_address or max(limit // SHARE_OF_ADDRESS, 1)
        self._addresses: dict[str, _Group] = {}
        self._max_unsent = max_unsent
        self._unsent: dict[Place, float] = {}  # since when, the oldest first

    def join(self, connection: Connection, address: str | None) -> Place:
        """The place of a new connection. `address`: whose limit counts; None: nobody's."""
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
        """Of a place: its connection ends."""
        self._unsent.pop(place, None)
        group = self._addresses.get(place.address or "")
        if group is not None and not group.places:
            del self._addresses[place.address or ""]

    def unread(self, place: Place) -> None:
        """This connection has unsent bytes from now on, if it had none before."""
        self._unsent.setdefault(place, time.monotonic())
        total = sum(one.connection.unsent for one in self._unsent)
        while total > self._max_unsent:
            oldest = next(iter(self._unsent))
            total -= oldest.connection.unsent
            del self._unsent[oldest]
            oldest.connection.abort()

    def read(self, place: Place) -> None:
        """This connection has no unsent bytes left, or none that are old."""
        self._unsent.pop(place, None)
