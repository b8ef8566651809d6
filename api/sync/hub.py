"""The open streams of this process: who is told, and what is the latest change of each person."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from math import inf
from typing import Final, Self, final

from api.auth.authenticator import User
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.pipeline import Row
from api.database.session import Database
from api.http.problems import CLOSE_CONNECTION, Failure, Kind, unavailable
from api.settings import Settings
from api.sync import queries
from api.sync.channels import channel_of
from api.sync.digests import Digests
from api.sync.notify import COALESCE, MAX_REDIAL, MIN_REDIAL, Notifier
from api.sync.stream import PING_INTERVAL, Ending, Stream

MAX_STREAMS: Final = 10  # of a user, in each process
# Transactions that read heads at the same time, however many people are to be told: the rest of the
# pool is for requests.
READERS: Final = 2


_log = logging.getLogger(__name__)


@final
class _Person:
    """Somebody with streams. `rests_until`: when their head may be read again."""

    __slots__ = ("digest", "is_due", "rests_until", "streams", "user")

    def __init__(self, user: User, digest: str | None) -> None:
        self.user, self.digest = user, digest
        self.streams: set[Stream] = set()
        self.is_due, self.rests_until = False, 0.0


@final
class Hub:
    """Wakes the streams of whoever has changed something, in this process or in another one.

    A wake-up is a reason to read the person's head, once for all their streams; they are told if it
    has moved. So one too many costs a statement, and one that is lost a delay.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._people: dict[str, _Person] = {}
        self._by_digest: dict[str, _Person] = {}
        self._due: OrderedDict[_Person, None] = OrderedDict()  # whose heads are to be read
        self._readers: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._digests: Digests | None = None
        self._notifier: Notifier | None = None
        if (channel := channel_of(settings, database)) is not None:
            self._digests = Digests(settings)
            self._notifier = Notifier(channel, self._digests, self._heard, self._missed)

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: Settings, database: Database) -> AsyncIterator[Self]:
        """A hub, until the block ends."""
        hub = cls(settings, database)
        try:
            yield hub
        finally:
            hub.stop()
            for task in hub._readers:
                task.cancel()
            await asyncio.gather(*hub._readers, return_exceptions=True)
            if hub._notifier is not None:
                await hub._notifier.close()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return sum(len(person.streams) for person in self._people.values())

    def changed(self, user_id: str) -> None:
        """This user may have changed something. Call it after the commit."""
        if (person := self._people.get(user_id)) is not None:
            self._wake(person)
        if self._notifier is not None:
            self._notifier.changed(user_id)

    def join(self, user: User) -> Stream:
        """Open a stream of this user. Raises `Failure`.

        Read the head after that: so nothing goes unnoticed.
        """
        if self._is_stopping:
            raise unavailable("The server stops; ask another one.", headers=CLOSE_CONNECTION)
        person = self._people.get(user.id)
        if person is not None and len(person.streams) >= MAX_STREAMS:
            raise Failure(
                Kind.RATE_LIMITED,
                f"You have {MAX_STREAMS} streams open here; close one.",
                headers={"Retry-After": str(PING_INTERVAL)},
            )
        if person is None:
            if not self._people and self._notifier is not None:
                self._notifier.open()
            person = _Person(user, self._digests and self._digests.of(user.id))
            self._people[user.id] = person
            if person.digest is not None:
                self._by_digest[person.digest] = person
        stream = Stream(user, self.leave)
        person.streams.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget a stream. Idempotent."""
        stream.release()
        person = self._people.get(stream.user.id)
        if person is None or stream not in person.streams:
            return
        person.streams.remove(stream)
        if person.streams:
            return
        del self._people[stream.user.id]
        self._by_digest.pop(person.digest or "", None)
        self._due.pop(person, None)
        if not self._people and self._notifier is not None:
            self._notifier.shut()

    def stop(self) -> None:
        """The server stops: end all streams at once, and open no other."""
        self._is_stopping = True
        for person in self._people.values():
            for stream in person.streams:
                stream.end(Ending.STOPPED)

    # --- wake-ups ---

    def _heard(self, digest: str) -> None:
        if (person := self._by_digest.get(digest)) is not None:
            self._wake(person)

    def _missed(self) -> None:
        for person in self._people.values():
            self._wake(person, first=False)

    def _wake(self, person: _Person, *, first: bool = True) -> None:
        """Have the person's head read: now, or when it has rested. `first`: before all others."""
        if person.is_due:
            return
        person.is_due = True
        rest = person.rests_until - time.monotonic()
        if rest <= 0:
            self._queue(person, first=first)
        elif rest < inf:
            asyncio.get_running_loop().call_later(rest, self._queue, person, context=Context())

    def _queue(self, person: _Person, *, first: bool = True) -> None:
        if not person.streams:
            return
        self._due[person] = None
        self._due.move_to_end(person, last=not first)
        if len(self._readers) < READERS:
            reader = asyncio.create_task(self._read_due(), context=Context())
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    async def _read_due(self) -> None:
        pause = MIN_REDIAL
        while self._due:
            person, _ = self._due.popitem(last=False)
            person.is_due, person.rests_until = False, inf  # not twice at a time
            try:
                head = await self._database.run(
                    person.user, lambda tx: tx.row(queries.HEAD), reads=True
                )
            except DatabaseUnavailable:
                person.is_due = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_REDIAL)
            except DatabaseError:
                _log.warning("a person's streams are not told: their head cannot be read")
            else:
                pause = MIN_REDIAL
                _tell(person, head)
            person.rests_until = time.monotonic() + COALESCE
            if person.is_due:  # changed while it was read
                asyncio.get_running_loop().call_later(COALESCE, self._queue, person)


def _tell(person: _Person, head: Row | None) -> None:
    for stream in person.streams:
        stream.tell(head)
