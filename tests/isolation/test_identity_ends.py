"""The identity ends with its transaction, and does not lean on the pool to forget it.

A pooler between the server and PostgreSQL hands connections on without resetting them.
"""

import asyncpg
import pytest

from api.auth import User
from api.db import Database
from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def _nothing_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.db._POOL_SIZE", 1)
    monkeypatch.setattr(asyncpg.Connection, "get_reset_query", lambda _: "")


@pytest.mark.usefixtures("_nothing_is_reset")
async def test_the_next_borrower_starts_as_nobody(database: TaskDatabase) -> None:
    async with Database.connect(database.task_app) as door:
        pool = door._pool  # noqa: SLF001 - what no request can see
        async with pool.acquire() as connection:
            await connection.execute("set application_name = 'left behind'")
        async with door.transaction(User("alice")) as transaction:
            connection = transaction._connection  # noqa: SLF001
            who = await connection.fetchval("select current_setting('app.user_id', true)")
            assert who == "alice"
        async with pool.acquire() as connection:
            # the control: the pool has reset nothing
            assert await connection.fetchval("show application_name") == "left behind"
            assert not await connection.fetchval("select current_setting('app.user_id', true)")
            assert await connection.fetchval("select count(*) from task") == 0


@pytest.mark.usefixtures("_nothing_is_reset")
async def test_it_ends_with_a_transaction_that_failed(database: TaskDatabase) -> None:
    async with Database.connect(database.task_app) as door:
        with pytest.raises(ZeroDivisionError):
            async with door.transaction(User("alice")):
                raise ZeroDivisionError
        async with door._pool.acquire() as connection:  # noqa: SLF001
            assert not await connection.fetchval("select current_setting('app.user_id', true)")
