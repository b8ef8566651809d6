"""A wire between the API and PostgreSQL, which is cut where it hurts most."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.background import in_background
from tests.faults.cluster import Postgres
from tests.scratch import scratch


class Cut(Enum):
    """When, of a commit."""

    BEFORE = "the commit never arrives"
    MEANWHILE = "the commit is on its way"
    AFTER = "the commit is done, and its answer is lost"


class Wire:
    """Carries everything, until it is told to cut."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self._to = postgres.socket
        self._folder = folder
        self._cuts: list[Cut] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._holds = False
        self.commits = 0  # that were asked for
        parts = urlsplit(postgres.database.task_app)
        self.task_app = parts._replace(query=f"host={folder}").geturl()

    def cuts(self, *when: Cut) -> None:
        """At the commits that come next, one after the other."""
        self.commits = 0
        self._cuts = [*when]

    def holds(self) -> None:
        """The next commit is done, and its answer does not come for as long as one waits."""
        self.commits, self._holds = 0, True

    def forgets(self) -> int:
        """The connections there are, as a firewall does: who uses one is told then. How many."""
        self._forgotten |= self._open
        return len(self._forgotten)

    @property
    def is_whole(self) -> bool:
        """Has it cut as often as it was told to?"""
        return not self._cuts

    async def serve(self, stop: asyncio.Event, started: threading.Event) -> None:
        server = await asyncio.start_unix_server(self._carry, self._folder / self._to.name)
        async with server:
            started.set()
            await stop.wait()

    async def _carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, statements = await asyncio.open_unix_connection(self._to)
        self._open.add(answers)
        back = asyncio.create_task(_copy(server, answers))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async for message, commits in _messages(client):
                if answers in self._forgotten:
                    break
                if commits:
                    self.commits += 1
                    if self._holds:
                        self._holds = False
                        back.cancel()
                    if self._cuts:
                        await self._cut(self._cuts.pop(0), message, server, statements, back)
                        break
                statements.write(message)
                await statements.drain()
        back.cancel()
        self._open.discard(answers)
        self._forgotten.discard(answers)
        answers.transport.abort()
        statements.transport.abort()

    async def _cut(
        self,
        when: Cut,
        message: bytes,
        server: asyncio.StreamReader,
        statements: asyncio.StreamWriter,
        back: asyncio.Task[None],
    ) -> None:
        if when is Cut.BEFORE:
            return
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        statements.write(message)
        await statements.drain()
        if when is Cut.AFTER:
            await server.read(1)


async def _messages(client: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """What is sent in one go, up to its Sync, and whether it commits.

    As the manual has them: Frontend/Backend Protocol, Message Formats.
    """
    kind, together, commits = b"", b"", False  # the first has no kind
    names = set[bytes]()  # of prepared statements that commit
    while True:
        length = await client.readexactly(4)
        content = await client.readexactly(int.from_bytes(length) - 4)
        together += kind + length + content
        name, sql, *_ = [*content.split(b"\0"), b""]
        if kind == b"P":  # Parse
            (names.add if sql == b"commit" else names.discard)(name)
        commits |= kind == b"B" and sql in names  # Bind: a portal, a statement
        if kind not in (b"P", b"D", b"B", b"E", b"C"):
            yield together, commits
            together, commits = b"", False
        kind = await client.readexactly(1)


async def _copy(server: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while content := await server.read(65536):
            answers.write(content)
            await answers.drain()
        answers.close()


@contextlib.contextmanager
def wire(postgres: Postgres) -> Iterator[Wire]:
    """A wire to this server, until the block ends."""
    with scratch() as folder, in_background((made := Wire(postgres, folder)).serve):
        yield made
