"""The one door to the database. Nobody goes through it without saying who they are."""

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self, final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from api import gate
from api.auth import User
from api.pool import Pool

if TYPE_CHECKING:  # who only asks the gate needs no SQLAlchemy, which takes long to load
    from api.statement import Statement

_POOL_SIZE: Final = 10  # connections per worker
# What libpq knows and asyncpg would send on as a setting of the server, which refuses it.
_LIBPQ_ONLY: Final = {"channel_binding", "connect_timeout", "gssencmode", "sslcompression"}
# Classes of SQLSTATE that pass by themselves or by an operator's hand, and say nothing about the
# request: connection, authorization, no such database, rollback, locks, resources, intervention,
# system (PostgreSQL manual, appendix A).
_PASSING_CLASSES: Final = {"08", "28", "3D", "40", "53", "55", "57", "58"}
_READ_ONLY: Final = "25006"
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

_log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The database cannot serve just now; the same request may succeed later."""


class DatabaseBusy(DatabaseUnavailable):
    """Somebody else held for too long what the statement had to wait for."""


class DatabaseError(Exception):
    """The database refused a statement of ours: a fault of this program or its deployment.

    Its message holds the SQLSTATE and no values of rows.
    """


class RowSecurityInactive(Exception):
    """The serving role could see past the policies. The message is one line with the remedy."""


@final
class Transaction:
    """One person's transaction. Every statement run in it is bound to that person."""

    __slots__ = ("_connection", "user")

    def __init__(self, connection: Any, user: User) -> None:
        self._connection = connection
        self.user: Final = user

    async def row(self, statement: "Statement", /, **values: object) -> Any | None:
        """The statement's first row, or None. `values` are its parameters less the caller."""
        arguments = statement.arguments(self.user.id, values)
        try:
            rows = await self._connection.fetch(statement.sql, *arguments)
        except _FAILURES as error:
            raise _translated(error) from None
        return rows[0] if rows else None

    async def each(
        self, statement: "Statement", values: Iterable[dict[str, object]], /
    ) -> list[Any]:
        """The rows of the statement run once for each of these parameters, sent in one go."""
        given = [statement.arguments(self.user.id, one) for one in values]
        try:
            rows: list[Any] = await self._connection.fetchmany(statement.sql, given)
        except _FAILURES as error:
            raise _translated(error) from None
        return rows


@final
class _Begin(AbstractAsyncContextManager[Transaction]):
    """Lends a connection to a transaction; written out, for it is entered by every request."""

    __slots__ = ("_connection", "_pool", "_user")

    def __init__(self, pool: Pool, user: User) -> None:
        self._pool = pool
        self._user = user

    async def __aenter__(self) -> Transaction:
        try:
            self._connection = connection = await self._pool.acquire()
            try:
                await connection.execute("begin")
                # true: for this transaction only, so that the next borrower starts as nobody
                await connection.execute(
                    "select set_config('app.user_id', $1, true)", self._user.id
                )
            except BaseException:
                self._pool.release(connection, sound=False)
                raise
        except _FAILURES as error:
            raise _translated(error) from None
        return Transaction(connection, self._user)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        sound = False
        try:
            # Whoever was cancelled may be in the middle of a statement.
            if kind is None or issubclass(kind, Exception):
                await self._connection.execute("rollback" if kind else "commit")
                sound = True
        except _FAILURES as error:
            if kind is None:
                raise _translated(error) from None
        finally:
            self._pool.release(self._connection, sound=sound)


@final
class Database:
    """Connections as the serving role."""

    def __init__(self, url: str) -> None:
        dsn = _for_asyncpg(url)
        self._pool = Pool(lambda: asyncpg.connect(dsn, timeout=10), _POOL_SIZE)

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[Self]:
        """The database at `url`, behind the gate, until the block ends.

        Raises `RowSecurityInactive` or `DatabaseUnavailable`.
        """
        database = cls(url)
        try:
            await database.ping()
            yield database
        finally:
            await database._pool.close()

    def transaction(self, user: User) -> AbstractAsyncContextManager[Transaction]:
        """A transaction in which `user` is asking; committed when the block ends well.

        Raises `DatabaseUnavailable` or `DatabaseError`, and then nothing has been changed, unless
        the connection broke during the commit itself.
        """
        return _Begin(self._pool, user)

    async def ping(self) -> None:
        """The gate: can the role at the other end see past the policies?

        Raises `RowSecurityInactive` or `DatabaseUnavailable`.
        """
        try:
            connection, row = await self._pool.acquire(), None
            try:
                row = await connection.fetchrow(gate.SQL)
            finally:
                self._pool.release(connection, sound=row is not None)
        except _FAILURES as error:
            raise _translated(error) from None
        reason = gate.verdict(row)
        if reason is not None:
            raise RowSecurityInactive(reason)


def _translated(error: Exception) -> DatabaseUnavailable | DatabaseError:
    name = type(error).__name__
    if not isinstance(error, asyncpg.PostgresError):
        _log.warning("database unavailable: %s", name)
        return DatabaseUnavailable(name)
    # The message may quote rows; the class name and SQLSTATE cannot.
    state = str(error.sqlstate)
    name = f"{name} ({state})"
    if state[:2] in _ABOUT_CONNECTING:
        name = f"{name}: {error.args[0]}"
    if state[:2] in _PASSING_CLASSES or state == _READ_ONLY:
        _log.warning("database unavailable: %s", name)
        return DatabaseBusy(name) if state == _LOCKED else DatabaseUnavailable(name)
    _log.error("database error: %s", name)
    return DatabaseError(name)


def _for_asyncpg(url: str) -> str:
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in _LIBPQ_ONLY]
    return urlunsplit(parts._replace(query=urlencode(query)))
