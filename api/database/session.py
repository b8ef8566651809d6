"""The only access to the database: transactions, each bound to a user, and the gate."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, final

from api.auth.authenticator import User
from api.database import gate
from api.database.connector import CannotConnect, Connector
from api.database.errors import (
    FAILURES,
    CommitInterrupted,
    DatabaseUnavailable,
    misused,
    translated,
    unreachable,
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

if TYPE_CHECKING:  # the gate alone needs no SQLAlchemy, which takes long to load
    from api.database.statement import Statement

# true: for this transaction only, so that the connection's next one starts without a user
_SET_USER: Final = "select set_config('app.user_id', $1, true)"
# PostgreSQL restarts the timeout with each Execute, so it holds for the statements that follow.
_SET_USER_AND_TIMEOUT: Final = f"{_SET_USER}, set_config('statement_timeout', $2, true)"
_NOTIFY: Final = "select pg_notify($1, payload) from unnest($2::text[]) as payload"

T = TypeVar("T")


@final
class RolledBack(Exception):
    """Raised in a transaction to end it with a result, and without effect. See `Database.run`."""

    def __init__(self, result: Any) -> None:
        super().__init__("the transaction is to have no effect")
        self.result = result


@final
class Transaction:
    """A user's transaction. Every statement run in it is bound to that user.

    It begins with its first statement, in one round trip. One that only `reads` also ends with it,
    and begins again with the next, which makes no difference: PostgreSQL shows each statement what
    is committed by then (read committed).

    It runs one thing at a time, and nothing after its block has ended: else `DatabaseError`. When a
    statement fails or is cancelled, nothing is committed, and further statements are refused.
    """

    __slots__ = ("_is_named", "_is_ready", "_pipeline", "_reads", "_timeout", "user")

    def __init__(
        self, pipeline: Pipeline, user: User, reads: bool, timeout: str | None = None
    ) -> None:
        """`timeout`: of each statement, instead of the role's; as PostgreSQL writes it."""
        self._pipeline, self._reads, self._timeout = pipeline, reads, timeout
        self._is_named = False  # whether it has begun and app.user_id is set in it
        self._is_ready = True  # whether it has ended all its statements, and none failed
        self.user: Final = user

    async def row(self, statement: "Statement", /, **values: object) -> Row | None:
        """The statement's first row, or None. `values`: its parameters without the caller."""
        (rows,) = await self._run(self._call(statement, values))
        return rows[0] if rows else None

    async def each(
        self, statement: "Statement", values: Iterable[dict[str, object]], /
    ) -> list[Row]:
        """The rows of the statement run once for each of these parameters, in one round trip."""
        results = await self._run(*(self._call(statement, one) for one in values))
        return [row for rows in results for row in rows]

    def _call(self, statement: "Statement", values: dict[str, object]) -> Call:
        return Call(statement.sql, statement.arguments(self.user.id, values))

    def end(self) -> bool:
        """Refuse further statements. Whether all statements so far have ended well."""
        ready, self._is_ready = self._is_ready, False
        return ready

    async def _run(self, *calls: Call) -> list[list[Row]]:
        if not self._is_ready:
            raise misused("a transaction that is being asked, has failed or has ended was asked")
        self._is_ready = False  # and stays so when this fails or is cancelled
        before: list[Call] = []
        if not self._is_named:
            set_user = (
                Call(_SET_USER_AND_TIMEOUT, (self.user.id, self._timeout))
                if self._timeout
                else Call(_SET_USER, (self.user.id,))
            )
            # If setting the user fails, PostgreSQL skips what follows.
            before = [BEGIN_READING if self._reads else BEGIN, set_user]
        after = [COMMIT] if self._reads else []
        try:
            results = await self._pipeline.run(*before, *calls, *after)
        except FAILURES as error:
            raise translated(error) from None
        self._is_named, self._is_ready = not self._reads, True
        return results[len(before) : len(before) + len(calls)]


@final
class _Begin(AbstractAsyncContextManager[Transaction]):
    """Checks out a connection for a transaction; a class, for speed: every request enters it."""

    __slots__ = ("_connection", "_fresh", "_pool", "_reads", "_timeout", "_transaction", "_user")

    def __init__(
        self, pool: Pool, user: User, reads: bool, timeout: str | None, fresh: bool
    ) -> None:
        """`timeout`: of a slow transaction."""
        self._pool, self._user, self._fresh = pool, user, fresh
        self._reads, self._timeout = reads, timeout

    async def __aenter__(self) -> Transaction:
        try:
            self._connection = await self._pool.acquire(
                self._user.id, slow=self._timeout is not None, fresh=self._fresh
            )
        except (CannotConnect, TimeoutError) as error:
            raise _unavailable(error) from None
        self._transaction = Transaction(
            self._connection.pipeline, self._user, self._reads, self._timeout
        )
        return self._transaction

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pipeline, good = self._connection.pipeline, self._transaction.end()
        commits = good and kind is None
        try:
            # A cancelled request does not wait; a busy connection refuses. The pool closes both.
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
    """The database, accessed as the serving role through a pool of connections."""

    def __init__(self, settings: DatabaseSettings) -> None:
        connect = Connector(settings.database_url.get_secret_value())
        self._pool = Pool(
            connect,
            settings.pool_size,
            settings.pool_timeout,
            settings.pool_share,
            max_lease=settings.pool_lease_timeout,
            max_idle=settings.pool_idle_timeout,
            max_close=settings.pool_close_timeout,
        )
        self._search_timeout = f"{settings.search_timeout * 1000:.0f}ms"
        self.used = time.monotonic()  # when a user's transaction was last begun

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, settings: DatabaseSettings, *, ahead: bool = True
    ) -> AsyncIterator[Self]:
        """The database of these settings, checked by the gate, until the block ends.

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
        """How many connections are in use and idle, and how many requests wait."""
        return self._pool.state

    def transaction(
        self, user: User, *, reads: bool = False, slow: bool = False, fresh: bool = False
    ) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of `user`, committed when the block ends without an exception.

        `reads`: it changes nothing. `slow`: its statements may take SEARCH_TIMEOUT, and one of
        the user's runs at a time. `fresh`: on a new connection. Raises `DatabaseUnavailable` or
        `DatabaseError`, and then nothing has been changed, unless the former is `in_doubt`;
        `CommitInterrupted` when it is cancelled during the commit.
        """
        self.used = time.monotonic()
        timeout = self._search_timeout if slow else None
        return _Begin(self._pool, user, reads, timeout, fresh)

    async def run(
        self,
        user: User,
        work: Callable[[Transaction], Awaitable[T]],
        *,
        reads: bool,
        slow: bool = False,
    ) -> T:
        """Run `work` in a transaction of `user`; its result.

        If the connection fails, it is retried once on a new one, unless it may have been committed
        already. When `work` raises `RolledBack`, nothing is committed, and its result is returned.
        Raises what `transaction` raises.
        """

        async def attempt(fresh: bool) -> T:
            async with self.transaction(user, reads=reads, slow=slow, fresh=fresh) as tx:
                return await work(tx)

        try:
            return await _retry_once(attempt)
        except RolledBack as end:
            result: T = end.result
            return result

    async def check_row_security(self, *, ahead: bool = True) -> None:
        """The gate: check that row security binds the serving role and that it has what it needs.

        Raises `CannotServe` or `DatabaseUnavailable`.
        """
        gate.check(await _retry_once(self._query_gate), ahead=ahead)

    async def notify(self, channel: str, payloads: Sequence[str]) -> None:
        """NOTIFY, in a transaction that does nothing else: in PostgreSQL one lock serialises the
        commits of all that do. It is no user's, and sees no rows.

        Raises `DatabaseUnavailable` or `DatabaseError`.
        """
        call = Call(_NOTIFY, (channel, payloads))

        async def attempt(fresh: bool) -> None:
            await self._in_no_name(lambda pipeline: pipeline.run(call), fresh)

        await _retry_once(attempt)

    @property
    def is_broken(self) -> bool:
        """Whether an idle connection has broken."""
        return self._pool.is_broken

    async def _query_gate(self, fresh: bool) -> Row:
        (row,) = await self._in_no_name(lambda pipeline: pipeline.read(gate.SQL), fresh)
        return row

    async def _in_no_name(self, work: Callable[[Pipeline], Awaitable[T]], fresh: bool) -> T:
        """Run `work` for the program itself, which sees no row of a user."""
        try:
            connection = await self._pool.acquire(fresh=fresh)
        except (CannotConnect, TimeoutError) as error:
            raise _unavailable(error) from None
        try:
            return await work(connection.pipeline)
        except FAILURES as error:
            raise translated(error) from None
        finally:
            self._pool.release(connection)


def _unavailable(error: CannotConnect | TimeoutError) -> DatabaseUnavailable:
    return unreachable(str(error) or "no connection in time", getattr(error, "sqlstate", ""))


async def _retry_once(attempt: Callable[[bool], Awaitable[T]]) -> T:
    """The result of `attempt(fresh)`, retried on a new connection when the first one failed."""
    try:
        return await attempt(False)
    except DatabaseUnavailable as error:
        if not error.retryable or error.in_doubt:
            raise
    return await attempt(True)
