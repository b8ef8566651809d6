"""The one door to the database. Nobody goes through it without saying who they are."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self, TypeVar, final

from api.auth.authenticator import User
from api.database import gate
from api.database.connector import CannotConnect, Connector
from api.database.errors import (
    FAILURES,
    CommitInterrupted,
    DatabaseUnavailable,
    misused,
    translated,
)
from api.database.pipeline import (
    BEGIN,
    BEGIN_READING,
    COMMIT,
    ROLLBACK,
    Call,
    Pipeline,
    Row,
)
from api.database.pool import Pool, PoolState
from api.settings import DatabaseSettings

if TYPE_CHECKING:  # who only asks the gate needs no SQLAlchemy, which takes long to load
    from api.database.statement import Statement

# true: for this transaction only, so that the next borrower starts as nobody
_SET_USER: Final = "select set_config('app.user_id', $1, true)"
# PostgreSQL begins to count anew with each Execute, so it holds for the statements that follow.
_SET_USER_AND_TIMEOUT: Final = f"{_SET_USER}, set_config('statement_timeout', $2, true)"

SEARCH_TIMEOUT: Final = 2.0  # seconds for each statement of a slow transaction
_SEARCH_TIMEOUT: Final = f"{SEARCH_TIMEOUT * 1000:.0f}ms"

_log = logging.getLogger(__package__)

T = TypeVar("T")


@final
class Transaction:
    """One person's transaction. Every statement run in it is bound to that person.

    It begins with its first statement, in one round trip. One that only `reads` also ends with it,
    and begins anew with the next: as PostgreSQL shows each statement what is committed by then,
    nobody can tell the difference.

    It is asked one thing at a time, and not after its block has ended: else `DatabaseError`. When a
    statement fails or is given up, nothing is committed, and what is asked afterwards is refused.
    """

    __slots__ = ("_is_named", "_is_ready", "_pipeline", "_reads", "_slow", "user")

    def __init__(self, pipeline: Pipeline, user: User, reads: bool, slow: bool = False) -> None:
        self._pipeline, self._reads, self._slow = pipeline, reads, slow
        self._is_named = False  # whether it has begun and the caller is named in it
        self._is_ready = True  # whether all that it was asked is answered, and well
        self.user: Final = user

    async def row(self, statement: "Statement", /, **values: object) -> Row | None:
        """The statement's first row, or None. `values` are its parameters less the caller."""
        (rows,) = await self._run(self._call(statement, values))
        return rows[0] if rows else None

    async def each(
        self, statement: "Statement", values: Iterable[dict[str, object]], /
    ) -> list[Row]:
        """The rows of the statement run once for each of these parameters, sent in one go."""
        answers = await self._run(*(self._call(statement, one) for one in values))
        return [row for rows in answers for row in rows]

    def _call(self, statement: "Statement", values: dict[str, object]) -> Call:
        return Call(statement.sql, statement.arguments(self.user.id, values))

    def end(self) -> bool:
        """Refuse whatever comes from now on. Whether all that it was asked was answered well."""
        ready, self._is_ready = self._is_ready, False
        return ready

    async def _run(self, *calls: Call) -> list[list[Row]]:
        if not self._is_ready:
            raise misused("a transaction that is being asked, has failed or has ended was asked")
        self._is_ready = False  # and stays so when this fails or is given up
        before: list[Call] = []
        if not self._is_named:
            who = (
                Call(_SET_USER_AND_TIMEOUT, (self.user.id, _SEARCH_TIMEOUT))
                if self._slow
                else Call(_SET_USER, (self.user.id,))
            )
            # If the second fails, PostgreSQL skips what comes after it.
            before = [BEGIN_READING if self._reads else BEGIN, who]
        after = [COMMIT] if self._reads else []
        try:
            answers = await self._pipeline.run(*before, *calls, *after)
        except FAILURES as error:
            raise translated(error) from None
        self._is_named, self._is_ready = not self._reads, True
        return answers[len(before) : len(before) + len(calls)]


@final
class _Begin(AbstractAsyncContextManager[Transaction]):
    """Lends a connection to a transaction; written out, for it is entered by every request."""

    __slots__ = ("_connection", "_fresh", "_pool", "_reads", "_slow", "_transaction", "_user")

    def __init__(self, pool: Pool, user: User, reads: bool, slow: bool, fresh: bool) -> None:
        self._pool, self._user, self._fresh = pool, user, fresh
        self._reads, self._slow = reads, slow

    async def __aenter__(self) -> Transaction:
        try:
            self._connection = await self._pool.acquire(
                self._user.id, slow=self._slow, fresh=self._fresh
            )
        except (CannotConnect, TimeoutError) as error:
            raise _unavailable(error) from None
        self._transaction = Transaction(
            self._connection.pipeline, self._user, self._reads, self._slow
        )
        return self._transaction

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pipeline, good = self._connection.pipeline, self._transaction.end()
        commits = good and kind is None
        try:
            # Who is cancelled does not wait; what is still being asked refuses. The pool ends both.
            if pipeline.in_transaction and (kind is None or issubclass(kind, Exception)):
                await pipeline.run(COMMIT if commits else ROLLBACK)
        except FAILURES as error:
            if commits:
                raise translated(error, committing=True) from None
        except asyncio.CancelledError:
            if commits:
                raise CommitInterrupted from None
            raise
        finally:
            self._pool.release(self._connection)
        if kind is None and not good:
            raise misused("a statement that failed or was given up was taken for a good one")


@final
class Database:
    """Connections as the serving role."""

    def __init__(self, settings: DatabaseSettings) -> None:
        connect = Connector(settings.database_url.get_secret_value())
        self._pool = Pool(connect, settings.pool_size, settings.pool_timeout, settings.pool_share)
        self.used = time.monotonic()  # when somebody's transaction was last begun

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, settings: DatabaseSettings, *, ahead: bool = True
    ) -> AsyncIterator[Self]:
        """The database of these settings, behind the gate, until the block ends.

        `ahead`: it may be newer than this program. Raises `CannotServe` or `DatabaseUnavailable`.
        """
        database = cls(settings)
        try:
            await database.check_row_security(ahead=ahead)
            yield database
        finally:
            await database._pool.close()

    @property
    def pool_state(self) -> PoolState:
        """Of its connections, in numbers."""
        return self._pool.state

    def transaction(
        self, user: User, *, reads: bool = False, slow: bool = False, fresh: bool = False
    ) -> AbstractAsyncContextManager[Transaction]:
        """A transaction in which `user` is asking; committed when the block ends well.

        `reads`: it changes nothing. `slow`: its statements may take `SEARCH_TIMEOUT`, and one of
        the user's runs at a time. `fresh`: on a new connection. Raises `DatabaseUnavailable` or
        `DatabaseError`, and then nothing has been changed, unless the former is `in_doubt`;
        `CommitInterrupted` when it is cancelled while nobody knows.
        """
        self.used = time.monotonic()
        return _Begin(self._pool, user, reads, slow, fresh)

    async def run(
        self,
        user: User,
        work: Callable[[Transaction], Awaitable[T]],
        *,
        reads: bool,
        slow: bool = False,
    ) -> T:
        """What `work` returns, done in a transaction of `user`.

        When its connection fails it is done once more on a new one, unless it may have been
        committed already. Raises what `transaction` raises.
        """

        async def once(fresh: bool) -> T:
            async with self.transaction(user, reads=reads, slow=slow, fresh=fresh) as tx:
                return await work(tx)

        return await _retry_once(once)

    async def check_row_security(self, *, ahead: bool = True) -> None:
        """The gate: can the role at the other end see past the policies, and do what it must?

        Raises `CannotServe` or `DatabaseUnavailable`.
        """
        gate.check(await _retry_once(self._query_gate), ahead=ahead)

    @property
    def is_broken(self) -> bool:
        """Whether a connection at hand has broken."""
        return self._pool.is_broken

    async def _query_gate(self, fresh: bool) -> Row:
        try:
            connection = await self._pool.acquire(fresh=fresh)
        except (CannotConnect, TimeoutError) as error:
            raise _unavailable(error) from None
        try:
            (row,) = await connection.pipeline.read(gate.SQL)
        except FAILURES as error:
            raise translated(error) from None
        finally:
            self._pool.release(connection)
        return row


def _unavailable(error: CannotConnect | TimeoutError) -> DatabaseUnavailable:
    reason = str(error) or "no connection in time"
    _log.warning("database unavailable: %s", reason)
    return DatabaseUnavailable(reason)


async def _retry_once(once: Callable[[bool], Awaitable[T]]) -> T:
    """What it returns; on a new connection, which `once` is told, when the first one failed."""
    try:
        return await once(False)
    except DatabaseUnavailable as error:
        if not error.retryable or error.in_doubt:
            raise
    return await once(True)
