"""A proxy in front of PostgreSQL, such as Neon's, which has refusals of its own.

As the manual has them: Frontend/Backend Protocol, Message Formats.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.background import in_background
from tests.faults.cluster import Postgres
from tests.scratch import scratch


class Step(Enum):
    """When it refuses."""

    GREETED = "before it is known who connects"
    SIGNED_IN = "after AuthenticationOk"
    READY = "at the first query after it said that it is ready"
    SERVING = "at a statement on a connection that was good"


@dataclass(frozen=True)
class Refusal:
    """An ErrorResponse; without an SQLSTATE if that is empty."""

    sqlstate: str
    message: str | bytes
    step: Step = Step.GREETED

    @property
    def packet(self) -> bytes:
        said = self.message.encode() if isinstance(self.message, str) else self.message
        fields = [b"SFATAL", b"VFATAL", b"M" + said]
        if self.sqlstate:
            fields.append(b"C" + self.sqlstate.encode())
        return _packet(b"E", b"".join(field + b"\0" for field in fields) + b"\0")


def _packet(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content


_SIGNED_IN = _packet(b"R", bytes(4))
_READY = (
    _packet(b"S", b"server_version\x0018.0\0")
    + _packet(b"S", b"client_encoding\0UTF8\0")
    + _packet(b"K", bytes(8))
    + _packet(b"Z", b"I")
)


class Proxy:
    """Carries everything, until it is told to refuse."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self._to, self._folder = postgres.socket, folder
        self._open: set[asyncio.StreamWriter] = set()
        self._refusal: Refusal | None = None
        self.url = urlsplit(postgres.database.task_app)._replace(query=f"host={folder}").geturl()

    @contextlib.contextmanager
    def refusing(self, refusal: Refusal) -> Iterator[None]:
        """Whoever connects, or asks something on a connection that is open."""
        self._refusal = refusal
        for client in list(self._open) if refusal.step is not Step.SERVING else []:
            client.transport.get_extra_info("socket").shutdown(2)
        try:
            yield
        finally:
            self._refusal = None

    async def serve(self, stop: asyncio.Event, started: threading.Event) -> None:
        server = await asyncio.start_unix_server(self._carry, self._folder / self._to.name)
        async with server:
            started.set()
            await stop.wait()

    async def _carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        self._open.add(answers)
        with contextlib.suppress(ConnectionError):
            if self._refusal is None or self._refusal.step is Step.SERVING:
                await self._pass_on(client, answers)
            else:
                await self._refuse(self._refusal, client, answers)
        self._open.discard(answers)
        answers.close()

    async def _refuse(
        self, refusal: Refusal, client: asyncio.StreamReader, answers: asyncio.StreamWriter
    ) -> None:
        await client.read(65536)  # who connects
        if refusal.step is not Step.GREETED:
            answers.write(_SIGNED_IN)
        if refusal.step is Step.READY:
            answers.write(_READY)
            await client.read(65536)
        answers.write(refusal.packet)
        await answers.drain()

    async def _pass_on(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, statements = await asyncio.open_unix_connection(self._to)

        async def back() -> None:
            while content := await server.read(65536):
                answers.write(content)
                await answers.drain()

        copying = asyncio.create_task(back())
        while content := await client.read(65536):
            if self._refusal is not None:
                answers.write(self._refusal.packet)
                await answers.drain()
                break
            statements.write(content)
            await statements.drain()
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)
        statements.transport.abort()


@contextlib.contextmanager
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    """A proxy to this server, until the block ends."""
    with scratch() as folder, in_background((made := Proxy(postgres, folder)).serve):
        yield made
