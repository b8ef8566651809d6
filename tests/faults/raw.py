"""A client that speaks HTTP badly: it writes the bytes it is told to, when it is told to."""

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 10.0  # seconds


@dataclass
class Ended:
    """What came until the server closed the connection, and how long that took."""

    content: bytes
    took: float

    @property
    def status(self) -> int | None:
        """Of the first answer, if there is one."""
        return int(self.content.split(b" ", 2)[1]) if self.content else None


_TCP_CLOSE = 7  # netinet/tcp.h


class Raw:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._begun = time.monotonic()

    def sends(self, *lines: str, body: bytes = b"") -> None:
        """A whole request."""
        self.writes("\r\n".join([*lines, "", ""]).encode() + body)

    def writes(self, content: bytes) -> None:
        self._begun = time.monotonic()
        self._connection.sendall(content)

    def endlessly(self, start: bytes, again: bytes, most: int = 50_000_000) -> None:
        """Write until the server has had enough: `OSError`."""
        self.writes(start)
        for _ in range(most // len(again)):
            self.writes(again)

    def dribbles(self, content: bytes, every: float) -> Ended:
        """A byte at a time, as long as somebody listens."""
        begun = self._begun = time.monotonic()
        for number in range(len(content)):
            self._connection.settimeout(every)
            try:
                self._connection.send(content[number : number + 1])
                first = self._connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                first = b""
            ended = self.ends(since=begun)
            return Ended(first + ended.content, ended.took)
        raise AssertionError("the server read it to the end")

    def reads(self) -> bytes:
        """One answer, or what there is of it."""
        self._connection.settimeout(PATIENCE)
        content = self._connection.recv(65536)
        head, _, body = content.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(lines[b"content-length"]):
            body += self._connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def reads_slowly(self, piece: int, every: float) -> Ended:
        """So many bytes at a time, to the end."""
        self._connection.settimeout(PATIENCE)
        content = b""
        with contextlib.suppress(ConnectionError):
            while more := self._connection.recv(piece):
                content += more
                time.sleep(every)
        return Ended(content, time.monotonic() - self._begun)

    @property
    def is_reset(self) -> bool:
        """Whether the server has cut it off, whatever is unread (tcp(7), TCP_INFO)."""
        state = self._connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return int(state[0]) == _TCP_CLOSE

    def ends(self, since: float | None = None) -> Ended:
        """Read until the server closes. Fails when it never does."""
        self._connection.settimeout(PATIENCE)
        content = b""
        with contextlib.suppress(ConnectionError):
            while more := self._connection.recv(1 << 20):
                content += more
        return Ended(content, time.monotonic() - (since or self._begun))


@contextlib.contextmanager
def raw(address: str, *, window: int | None = None) -> Iterator[Raw]:
    """A connection to this address. `window`: bytes that it takes before they are read."""
    parts = urlsplit(address)
    with socket.socket() as connection:
        if window is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.connect((parts.hostname, parts.port))
        yield Raw(connection)
