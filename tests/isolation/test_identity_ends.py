"""The identity ends with its transaction, and does not lean on the pool to forget it.

A pooler between the server and PostgreSQL hands connections on without resetting them.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.auth.authenticator import User
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.pipeline import Call
from api.database.session import Database, Transaction
from api.settings import DatabaseSettings
from api.tasks import queries
from api.tasks.schemas import Sort, TaskCreate
from tests.cluster import TaskDatabase

LIST = queries.tasks(Sort.NEWEST, frozenset(), "top")
TASK = TaskCreate(title="Buy milk").model_dump()

pytestmark = pytest.mark.anyio


def one_connection(database: TaskDatabase) -> DatabaseSettings:
    return DatabaseSettings(database_url=database.task_app, pool_size=1)


@contextlib.asynccontextmanager
async def a_connection(door: Database) -> AsyncIterator[Any]:
    """The next that a request would borrow, which no request can see."""
    connection = await door._pool.acquire()  # noqa: SLF001
    try:
        yield connection
    finally:
        door._pool.release(connection)  # noqa: SLF001


async def who(transaction: Transaction) -> object:
    """Who is asking, according to the database."""
    asked = Call("select current_setting('app.user_id', true) as who")
    ((row,),) = await transaction._pipeline.run(asked)  # noqa: SLF001
    return row["who"]


@pytest.mark.evidence("last-identity")
async def test_the_next_borrower_starts_as_nobody(database: TaskDatabase) -> None:
    async with Database.connect(one_connection(database)) as door:
        async with a_connection(door) as connection:
            await connection.execute("set application_name = 'left behind'")
        async with door.transaction(User("alice")) as transaction:
            assert await transaction.row(LIST, limit=10, offset=0)
            assert await who(transaction) == "alice"
        async with a_connection(door) as connection:
            # the control: the pool has reset nothing
            assert await connection.fetchval("show application_name") == "left behind"
            assert not await connection.fetchval("select current_setting('app.user_id', true)")
            assert await connection.fetchval("select count(*) from task") == 0


async def test_it_ends_with_each_statement_of_a_transaction_that_only_reads(
    database: TaskDatabase,
) -> None:
    async with (
        Database.connect(one_connection(database)) as door,
        door.transaction(User("alice"), reads=True) as transaction,
    ):
        for _ in range(2):
            assert await transaction.row(LIST, limit=10, offset=0)
            assert not await who(transaction)


async def test_who_only_reads_cannot_write(database: TaskDatabase) -> None:
    async with Database.connect(one_connection(database)) as door:
        with pytest.raises(DatabaseUnavailable, match="25006"):
            async with door.transaction(User("alice"), reads=True) as transaction:
                await transaction.row(queries.CREATE, **TASK)


async def test_it_ends_with_a_transaction_that_failed(database: TaskDatabase) -> None:
    async def fails(transaction: Transaction) -> None:
        assert await transaction.row(LIST, limit=10, offset=0)
        raise ZeroDivisionError

    async with Database.connect(one_connection(database)) as door:
        with pytest.raises(ZeroDivisionError):
            await door.run(User("alice"), fails, reads=False)
        async with a_connection(door) as connection:
            assert not await connection.fetchval("select current_setting('app.user_id', true)")


async def test_a_transaction_that_failed_has_changed_nothing(database: TaskDatabase) -> None:
    async with Database.connect(one_connection(database)) as door:
        for failure in (ZeroDivisionError, None):
            with contextlib.suppress(ZeroDivisionError):
                async with door.transaction(User("alice-who-fails")) as transaction:
                    assert await transaction.row(queries.CREATE, **TASK)
                    if failure:
                        raise failure
            async with door.transaction(User("alice-who-fails")) as transaction:
                page = await transaction.row(LIST, limit=10, offset=0)
                assert page
                assert (page["lines"] or "").count("Buy milk") == (0 if failure else 1)


async def test_a_failure_that_is_overlooked_is_not_taken_for_a_commit(
    database: TaskDatabase,
) -> None:
    async def overlooks(transaction: Transaction) -> None:
        with contextlib.suppress(DatabaseError):
            await transaction.row(queries.CREATE, **TASK | {"title": ""})

    async with Database.connect(one_connection(database)) as door:
        with pytest.raises(DatabaseError, match="taken for a good one"):
            await door.run(User("alice-who-fails"), overlooks, reads=False)
        async with a_connection(door) as connection:
            assert not connection.pipeline.in_transaction
