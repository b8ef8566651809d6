"""A device that watches: it keeps a stream of events open and reads it, or does not."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tests.people import Person

PATH: Final = "/api/tasks/events"
PATIENCE: Final = 10.0  # seconds
QUIET: Final = 0.7  # seconds in which somebody who would be told has been told


class Device:
    """One stream of a person, from its request on."""

    def __init__(self, person: Person, last: str | None = None, *, method: str = "GET") -> None:
        parts = urlsplit(str(person.http.base_url))
        assert parts.hostname
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), PATIENCE)
        token = person.http.headers.get("Authorization")
        lines = [f"{method} {PATH} HTTP/1.1", "Host: localhost"]
        lines += [f"Authorization: {token}"] if token else []
        lines += [f"Last-Event-ID: {last}"] if last is not None else []
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._content = b""
        head = self._until(b"\r\n\r\n", PATIENCE) or b""
        first, *rest = head.decode().split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest)}
        self.heard = b""  # all of the stream so far
        self._blocks: list[dict[str, str]] = []
        if self.status == 200 and method == "GET":
            self.greeting = self.block() or {}

    def block(self, within: float = PATIENCE) -> dict[str, str] | None:
        """The next block of the stream as fields, a comment under ''; None if none comes."""
        deadline = time.monotonic() + within
        while b"\n\n" not in self._unread:
            part = self._chunk(deadline - time.monotonic())
            if not part:
                return None
            self.heard += part
        block, _, _ = self._unread.partition(b"\n\n")
        self._taken += len(block) + 2
        fields = (line.partition(":") for line in block.decode().split("\n"))
        return {name: value.removeprefix(" ") for name, _, value in fields}

    _taken = 0

    @property
    def _unread(self) -> bytes:
        return self.heard[self._taken :]

    def is_told(self, within: float = PATIENCE) -> str:
        """The id of the next event, which has to come."""
        deadline = time.monotonic() + within
        while block := self.block(deadline - time.monotonic()):
            if block.get("event"):
                assert {"event": "changed", "data": ""}.items() <= block.items()
                assert block.keys() == {"event", "data", "id"}
                return block["id"]
        raise AssertionError("nobody has told this device")

    def is_told_nothing(self, for_: float = QUIET) -> bool:
        """Whether no event comes in this time, and the stream is open after it."""
        deadline = time.monotonic() + for_
        while (left := deadline - time.monotonic()) > 0:
            block = self.block(left)
            if block and "event" in block:
                return False
        return not self.ended

    def ends(self, within: float = PATIENCE) -> float:
        """The seconds until the stream ends as it should, by its last chunk."""
        begun = time.monotonic()
        while self.block(begun + within - time.monotonic()) is not None:
            pass
        assert self.ended, "the stream goes on"
        return time.monotonic() - begun

    ended = False

    def _chunk(self, within: float) -> bytes:
        deadline = time.monotonic() + within
        size = self._until(b"\r\n", within)
        if size is None:
            return b""
        length = int(size, 16) + 2
        while len(self._content) < length:
            assert self._receives(max(deadline - time.monotonic(), 1)), "half a chunk"
        part, self._content = self._content[: length - 2], self._content[length:]
        self.ended = not part
        return part

    def _until(self, end: bytes, within: float) -> bytes | None:
        deadline = time.monotonic() + within
        while end not in self._content:
            left = deadline - time.monotonic()
            if left <= 0 or not self._receives(left):
                return None
        part, _, self._content = self._content.partition(end)
        return part

    def _receives(self, within: float) -> bool:
        self.socket.settimeout(within)
        try:
            more = self.socket.recv(65536)
        except (TimeoutError, ConnectionError):
            return False
        self._content += more
        return bool(more)

    def rest(self) -> bytes:
        """All that comes until the connection is closed."""
        while self._receives(PATIENCE):
            pass
        return self._content


@contextlib.contextmanager
def watching(person: Person, last: str | None = None, *, times: int = 1) -> Iterator[list[Device]]:
    """Devices of this person, until the block ends."""
    with contextlib.ExitStack() as stack:
        devices = [Device(person, last) for _ in range(times)]
        for device in devices:
            stack.callback(device.socket.close)
        yield devices
