"""The one door to the database. Nobody goes through it without saying who they are."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self, TypeVar, final

import asyncpg

from api import gate
from api.auth import User
from api.connect import CannotConnect, Connector
from api.gate import CannotServe as CannotServe
from api.gate import RowSecurityInactive as RowSecurityInactive
from api.pipeline import BEGIN, BEGIN_READING, COMMIT, ROLLBACK, Call, Connection, Pipeline, Row
from api.pool import Pool, PoolState
from api.settings import DatabaseSettings

if TYPE_CHECKING:  # who only asks the gate needs no SQLAlchemy, which takes long to load
    from api.statement import Statement

# Classes of SQLSTATE that pass by themselves or by an operator's hand, and say nothing about the
# request: connection, authorization, no such database, rollback, locks, resources, intervention,
# system (PostgreSQL manual, appendix A).
_PASSING_CLASSES: Final = {"08", "28", "3D", "40", "53", "55", "57", "58"}
# Read-only; idle in transaction and transaction too long; a pooler's other server does not know the
# prepared statement; the table has another shape than when it was prepared.
_PASSING: Final = {"25006", "25P03", "25P04", "26000", "0A000"}
# Of these, what another connection may not meet.
_OF_THIS_CONNECTION: Final = {"08", "40", "57P01", "57P02", "57P05", *_PASSING}
_ROLLED_BACK: Final = "40"
_LOCKED: Final = "55P03"  # lock_timeout
# Classes raised before any statement, so their messages name roles and databases, never rows.
_ABOUT_CONNECTING: Final = {"28", "3D"}
# A TimeoutError is an OSError.
_FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)

# true: for this transaction only, so that the next borrower starts as nobody
_SAY_WHO: Final = "select set_config('app.user_id', $1, true)"

_log = logging.getLogger(__name__)

T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """The database cannot serve just now; the same request may succeed later.

    `another`: on another connection it may succeed at once. `in_doubt`: the connection broke during
    the commit, so nobody knows whether it was done.
    """

    def __init__(self, reason: str, *, another: bool = False, in_doubt: bool = False) -> None:
        super().__init__(reason)
        self.another, self.in_doubt = another, in_doubt


class DatabaseBusy(DatabaseUnavailable):
    """Somebody else held for too long what the statement had to wait for."""


class DatabaseError(Exception):
    """The database refused a statement of ours: a fault of this program or its deployment.

    Its message holds the SQLSTATE and no values of rows.
    """


@final
class Transaction:
    """One person's transaction. Every statement run in it is bound to that person.

    It begins with its first statement, in one round trip. One that only `reads` also ends with it,
    and begins anew with the next: as PostgreSQL shows each statement what is committed by then,
    nobody can tell the difference.
    """

    __slots__ = ("_pipeline", "_reads", "user")

    def __init__(self, pipeline: Pipeline, user: User, reads: bool) -> None:
        self._pipeline, self._reads = pipeline, reads
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

    async def _run(self, *calls: Call) -> list[list[Row]]:
        before: list[Call] = []
        if not self._pipeline.in_transaction:
            # If the second fails, PostgreSQL skips what comes after it.
            before = [BEGIN_READING if self._reads else BEGIN, Call(_SAY_WHO, (self.user.id,))]
        after = [COMMIT] if self._reads else []
        try:
            answers = await self._pipeline.run(*before, *calls, *after)
        except _FAILURES as error:
            raise _translated(error) from None
        return answers[len(before) : len(before) + len(calls)]


@final
class _Begin(AbstractAsyncContextManager[Transaction]):
    """Lends a connection to a transaction; written out, for it is entered by every request."""

    __slots__ = ("_connection", "_fresh", "_pool", "_reads", "_user")

    def __init__(self, pool: Pool, user: User, reads: bool, fresh: bool) -> None:
        self._pool, self._user, self._reads, self._fresh = pool, user, reads, fresh

    async def __aenter__(self) -> Transaction:
        self._connection = await _borrowed(self._pool, self._fresh)
        return Transaction(self._connection.pipeline, self._user, self._reads)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pipeline = self._connection.pipeline
        overlooked, sound = kind is None and pipeline.has_failed, False
        try:
            # Whoever was cancelled may be in the middle of a statement.
            if kind is None or issubclass(kind, Exception):
                if pipeline.in_transaction:
                    await pipeline.run(ROLLBACK if kind or overlooked else COMMIT)
                sound = True
        except _FAILURES as error:
            if kind is None:
                raise _translated(error, committing=True) from None
        finally:
            self._pool.release(self._connection, sound=sound)
        if overlooked:
            raise DatabaseError("a failed statement was taken for a good one")


@final
class Database:
    """Connections as the serving role."""

    def __init__(self, settings: DatabaseSettings) -> None:
        connect = Connector(settings.database_url.get_secret_value())
        self._pool = Pool(connect, settings.pool_size, settings.pool_timeout)
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
            await database.ping(ahead=ahead)
            yield database
        finally:
            await database._pool.close()

    @property
    def pool_state(self) -> PoolState:
        """Of its connections, in numbers."""
        return self._pool.state

    def transaction(
        self, user: User, *, reads: bool = False, fresh: bool = False
    ) -> AbstractAsyncContextManager[Transaction]:
        """A transaction in which `user` is asking; committed when the block ends well.

        `reads`: it changes nothing. `fresh`: on a new connection. Raises `DatabaseUnavailable` or
        `DatabaseError`, and then nothing has been changed, unless the former is `in_doubt`.
        """
        self.used = time.monotonic()
        return _Begin(self._pool, user, reads, fresh)

    async def run(
        self, user: User, work: Callable[[Transaction], Awaitable[T]], *, reads: bool
    ) -> T:
        """What `work` returns, done in a transaction of `user`.

        When its connection fails it is done once more on a new one, unless it may have been
        committed already. Raises what `transaction` raises.
        """

        async def once(fresh: bool) -> T:
            async with self.transaction(user, reads=reads, fresh=fresh) as tx:
                return await work(tx)

        return await _twice(once)

    async def ping(self, *, ahead: bool = True) -> None:
        """The gate: can the role at the other end see past the policies, and do what it must?

        Raises `CannotServe` or `DatabaseUnavailable`.
        """
        gate.check(await _twice(self._look), ahead=ahead)

    @property
    def is_broken(self) -> bool:
        """Whether a connection at hand has broken."""
        return self._pool.is_broken

    async def _look(self, fresh: bool) -> Row:
        connection, sound = await _borrowed(self._pool, fresh), False
        try:
            (row,) = await connection.pipeline.read(gate.SQL)
            sound = True
        except _FAILURES as error:
            raise _translated(error) from None
        finally:
            self._pool.release(connection, sound=sound)
        return row


async def _borrowed(pool: Pool, fresh: bool) -> Connection:
    try:
        connection: Connection = await pool.acquire(fresh=fresh)
    except _FAILURES as error:
        raise _translated(error, connecting=True) from None
    return connection


async def _twice(once: Callable[[bool], Awaitable[T]]) -> T:
    """What it returns; on a new connection, which `once` is told, when the first one failed."""
    try:
        return await once(False)
    except DatabaseUnavailable as error:
        if not error.another or error.in_doubt:
            raise
    return await once(True)


def _translated(
    error: Exception, *, connecting: bool = False, committing: bool = False
) -> DatabaseUnavailable | DatabaseError:
    """What `error` means, said in the log; the one place that knows SQLSTATEs."""
    name = str(error) if isinstance(error, CannotConnect) else type(error).__name__
    if not isinstance(error, asyncpg.PostgresError):
        _log.warning("database unavailable: %s", name)
        return DatabaseUnavailable(name, another=not connecting, in_doubt=committing)
    # The message may quote rows; the class name and SQLSTATE cannot.
    state = str(error.sqlstate)
    kinds = {state, state[:2]}
    name = f"{name} ({state})"
    if kinds & _ABOUT_CONNECTING:
        name = f"{name}: {error.args[0]}"
    if not kinds & (_PASSING_CLASSES | _PASSING):
        _log.error("database error: %s", name)
        return DatabaseError(name)
    _log.warning("database unavailable: %s", name)
    if state == _LOCKED:
        return DatabaseBusy(name)
    return DatabaseUnavailable(
        name,
        another=bool(kinds & _OF_THIS_CONNECTION) and not connecting,
        in_doubt=committing and _ROLLED_BACK not in kinds,
    )
