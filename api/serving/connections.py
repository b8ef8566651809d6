"""Who may stay connected to a process when it is full, and how much it holds for who reads nothing.

A connection is judged when it is made. Where its process or its address is full, the connection
that has been idle longest ends, and before it the one that has been silent longest since it was
made; where all are at work, the newcomer's requests are refused.
"""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol, final

MAX_CONNECTIONS: Final = 2000  # of a process, unless said otherwise
SHARE_OF_ADDRESS: Final = 4  # an address has a quarter of the connections unless said otherwise
MIB: Final = 1024 * 1024


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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Group:
    """Connections that share a limit; the silent and the idle ones, in the order in which they
    became so."""

    __slots__ = ("idle", "limit", "silent", "size")

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self.silent: dict[Place, None] = {}  # never had a request
        self.idle: dict[Place, None] = {}


@final
class Place:
    """A connection's place among the others, from `Connections.join` until it leaves."""

    __slots__ = ("_connections", "_groups", "_is_admitted", "address", "connection")

    def __init__(
        self,
        connections: "Connections",
        groups: tuple[_Group, ...],
        address: str | None,
        connection: Connection,
    ) -> None:
        self._connections, self._groups = connections, groups
        self.address, self.connection = address, connection
        for group in groups:
            group.size += 1
        self._is_admitted = False
        self._is_admitted = self.is_admitted
        for group in groups:
            group.silent[self] = None

    @property
    def is_admitted(self) -> bool:
        """Whether its requests are served: it once found room, or finds some now."""
        if not self._is_admitted:
            self._is_admitted = all(group.size <= group.limit for group in self._groups)
        return self._is_admitted

    def idle(self) -> None:
        """It has no request: it may have to make room."""
        for group in self._groups:
            group.idle[self] = None

    def work(self) -> None:
        """It has a request: it stays."""
        for group in self._groups:
            group.silent.pop(self, None)
            group.idle.pop(self, None)

    def leave(self) -> None:
        """It ends. Doing so twice changes nothing."""
        self.work()
        for group in self._groups:
            group.size -= 1
        self._groups = ()
        self._connections.left(self)


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
            if group.size >= group.limit:
                _make_room(group)
        return Place(self, groups, address, connection)

    def left(self, place: Place) -> None:
        """Of a place: its connection ends."""
        self._unsent.pop(place, None)
        group = self._addresses.get(place.address or "")
        if group is not None and not group.size:
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


def _make_room(group: _Group) -> None:
    """End the connection that is silent or idle longest; one with unsent bytes only if there is no
    other."""
    longest = next(iter(group.silent), None)
    longest = longest or next((one for one in group.idle if not one.connection.unsent), None)
    longest = longest or next(iter(group.idle), None)
    if longest is not None:
        longest.leave()
        longest.connection.make_room()
