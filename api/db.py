"""The one door to the database. Nobody goes through it without saying who they are."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self, final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from api import gate
from api.auth import User
from api.statement import Statement

ACQUIRE_TIMEOUT: Final = 2.0  # seconds to wait for a connection
_POOL_SIZE: Final = 20  # connections per worker
# What libpq knows and asyncpg would send on as a setting of the server, which refuses it.
_LIBPQ_ONLY: Final = {"channel_binding", "connect_timeout", "gssencmode", "sslcompression"}
# Classes of SQLSTATE that pass by themselves or by an operator's hand, and say nothing about the
# request: connection, authorization, no such database, rollback, locks, resources, intervention,
# system (PostgreSQL manual, appendix A).
_PASSING_CLASSES: Final = {"08", "28", "3D", "40", "53", "55", "57", "58"}
_READ_ONLY: Final = "25006"
# Classes raised before any statement, so their messages name roles and databases, never rows.
_ABOUT_CONNECTING: Final = {"28", "3D"}

_log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The database cannot serve just now; the same request may succeed later."""


class DatabaseError(Exception):
    """The database refused a statement of ours: a fault of this program or its deployment.

    Its message holds the SQLSTATE and no values of rows.
    """


class RowSecurityInactive(Exception):
    """The serving role could see past the policies. The message is one line with the remedy."""


@final
class Transaction:
    """One person's transaction. Every statement run in it is bound to that person."""

    __slots__ = ("_connection", "_user")

    def __init__(self, connection: Any, user: User) -> None:
        self._connection = connection
        self._user = user

    async def row(self, statement: Statement, /, **values: object) -> Any | None:
        """The statement's first row, or None. `values` are its parameters less the caller."""
        arguments = statement.arguments(self._user.id, values)
        return await self._connection.fetchrow(statement.sql, *arguments)


@final
class Database:
    """A pool of connections as the serving role."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str) -> AsyncIterator[Self]:
        """The database at `url`, behind the gate, until the block ends.

        Raises `RowSecurityInactive` or `DatabaseUnavailable`.
        """
        with _translated():
            pool = await asyncpg.create_pool(
                # no floor: the pool would call a database back that has gone to sleep
                _for_asyncpg(url),
                min_size=0,
                max_size=_POOL_SIZE,
                timeout=10,
                command_timeout=30,
                reset=_nothing_to_reset,
            )
        async with pool:
            database = cls(pool)
            await database.ping()
            yield database

    @asynccontextmanager
    async def transaction(self, user: User) -> AsyncIterator[Transaction]:
        """A transaction in which `user` is asking; committed when the block ends well.

        Raises `DatabaseUnavailable` or `DatabaseError`, and then nothing has been changed, unless
        the connection broke during the commit itself.
        """
        with _translated():
            async with (
                self._pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection,
                connection.transaction(),
            ):
                # true: for this transaction only, so that the next borrower starts as nobody
                await connection.execute("select set_config('app.user_id', $1, true)", user.id)
                yield Transaction(connection, user)

    async def ping(self) -> None:
        """The gate: can the role at the other end see past the policies?

        Raises `RowSecurityInactive` or `DatabaseUnavailable`.
        """
        with _translated():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT) as connection:
                row = await connection.fetchrow(gate.SQL)
        reason = gate.verdict(row)
        if reason is not None:
            raise RowSecurityInactive(reason)


async def _nothing_to_reset(_: Any) -> None:
    """asyncpg itself ends a transaction left open; every setting made here ends with its own."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        # The message may quote rows; the class name and SQLSTATE cannot.
        state = str(error.sqlstate)
        name = f"{type(error).__name__} ({state})"
        if state[:2] in _ABOUT_CONNECTING:
            name = f"{name}: {error.args[0]}"
        if state[:2] in _PASSING_CLASSES or state == _READ_ONLY:
            _log.warning("database unavailable: %s", name)
            raise DatabaseUnavailable(name) from None
        _log.error("database error: %s", name)
        raise DatabaseError(name) from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        name = type(error).__name__
        _log.warning("database unavailable: %s", name)
        raise DatabaseUnavailable(name) from None


def _for_asyncpg(url: str) -> str:
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in _LIBPQ_ONLY]
    return urlunsplit(parts._replace(query=urlencode(query)))
