"""Connections are lent in turn, for a time, and not again when something went wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from api import pool as pools
from api.pool import Pool
from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio

_THIS_POOL = "the pool of test_pool"  # other servers may be at work on the same database


@contextlib.asynccontextmanager
async def opened(database: TaskDatabase, size: int, patience: float = 2) -> AsyncIterator[Pool]:
    named = {"application_name": _THIS_POOL}
    pool = Pool(
        lambda within: asyncpg.connect(database.direct, server_settings=named, timeout=within),
        size,
        patience,
    )
    try:
        yield pool
    finally:
        await pool.close()


async def backend(pool: Pool) -> int:
    """The process at the other end of the connection that is lent next."""
    connection = await pool.acquire()
    pool.release(connection, sound=True)
    return int(connection.get_server_pid())


async def refusal(pool: Pool) -> BaseException | None:
    """Why there is no connection; None when nothing is said for long."""
    asking = asyncio.create_task(pool.acquire())
    done, _ = await asyncio.wait([asking], timeout=5)
    asking.cancel()
    return asking.exception() if done else None


async def backends(database: TaskDatabase) -> int:
    connection = await asyncpg.connect(database.superuser)
    try:
        found = await connection.fetchval(
            "select count(*) from pg_stat_activity where application_name = $1", _THIS_POOL
        )
    finally:
        await connection.close()
    return int(found)


async def eventually(database: TaskDatabase, number: int) -> bool:
    for _ in range(100):
        if await backends(database) == number:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_one_connection_is_enough_for_one_at_a_time(database: TaskDatabase) -> None:
    async with opened(database, 5) as pool:
        assert len({await backend(pool) for _ in range(5)}) == 1
        assert await eventually(database, 1)


async def test_who_came_first_is_served_first(database: TaskDatabase) -> None:
    served: list[int] = []

    async def asks(pool: Pool, number: int) -> None:
        connection = await pool.acquire()
        await connection.execute("select 1")
        served.append(number)
        pool.release(connection, sound=True)

    async with opened(database, 1) as pool:
        first = await pool.acquire()
        others = []
        for number in range(20):
            others.append(asyncio.create_task(asks(pool, number)))
            await asyncio.sleep(0)
        pool.release(first, sound=True)
        await asyncio.gather(*others)
    assert served == list(range(20))


async def test_who_waits_too_long_is_told_and_nobody_else_loses_by_it(
    database: TaskDatabase,
) -> None:
    async with opened(database, 1, patience=0.2) as pool:
        first = await pool.acquire()
        assert isinstance(await refusal(pool), TimeoutError)
        pool.release(first, sound=True)
        assert await backend(pool) == first.get_server_pid()


async def test_nobody_waits_for_ever_for_a_database_that_does_not_answer() -> None:
    async def connect(_: float) -> Any:
        await asyncio.Event().wait()

    pool = Pool(connect, 1, timeout=0.2)
    first = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    assert isinstance(await refusal(pool), TimeoutError)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await pool.close()


@pytest.mark.parametrize("is_free_by_then", [True, False])
async def test_who_gives_up_waiting_keeps_no_place(
    database: TaskDatabase, *, is_free_by_then: bool
) -> None:
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        gives_up = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        if is_free_by_then:
            pool.release(first, sound=True)
        gives_up.cancel()
        await asyncio.gather(gives_up, return_exceptions=True)
        if not is_free_by_then:
            pool.release(first, sound=True)
        assert gives_up.cancelled()
        async with asyncio.timeout(1):
            assert await backend(pool) == first.get_server_pid()


async def test_a_connection_that_is_not_sound_is_not_lent_again(database: TaskDatabase) -> None:
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        unsound = first.get_server_pid()
        pool.release(first, sound=False)
        assert await backend(pool) != unsound
        assert await eventually(database, 1)


async def test_a_connection_that_broke_meanwhile_is_not_lent_again(database: TaskDatabase) -> None:
    async with opened(database, 2) as pool:
        kept, broken = await pool.acquire(), await pool.acquire()
        pool.release(kept, sound=True)
        pool.release(broken, sound=True)
        broken.terminate()
        assert await backend(pool) == kept.get_server_pid()


async def test_waiting_and_connecting_share_the_time(database: TaskDatabase) -> None:
    had: list[float] = []

    async def connect(within: float) -> Any:
        had.append(within)
        return await asyncpg.connect(database.task_app)

    pool = Pool(connect, 1, timeout=2)
    first = await pool.acquire()
    second = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0.5)
    pool.release(first, sound=False)
    pool.release(await second, sound=True)
    await pool.close()
    assert had[0] > 1.9
    assert had[1] <= 1.5


async def test_where_too_many_wait_nobody_else_does(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "QUEUE", 3)
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        async with asyncio.timeout(0.5):
            with pytest.raises(TimeoutError):
                await pool.acquire()
        pool.release(first, sound=True)
        for one in waiting:
            pool.release(await one, sound=True)


async def test_a_fresh_connection_is_none_of_those_at_hand(database: TaskDatabase) -> None:
    async with opened(database, 2) as pool:
        at_hand = [await pool.acquire() for _ in range(2)]
        known = {connection.get_server_pid() for connection in at_hand}
        for connection in at_hand:
            pool.release(connection, sound=True)
        fresh = await pool.acquire(fresh=True)
        assert fresh.get_server_pid() not in known
        pool.release(fresh, sound=True)
        assert await eventually(database, 1)


async def test_a_failure_to_connect_keeps_no_place(database: TaskDatabase) -> None:
    answers: list[Any] = [OSError("nobody is there"), None]

    async def connect(_: float) -> Any:
        if (failure := answers.pop(0)) is not None:
            raise failure
        return await asyncpg.connect(database.task_app)

    pool = Pool(connect, 1, timeout=2)
    with pytest.raises(OSError, match="nobody"):
        await pool.acquire()
    async with asyncio.timeout(1):
        assert await backend(pool)
    await pool.close()


async def test_a_loan_ends(database: TaskDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "LENT", 0.2)
    async with opened(database, 1) as pool:
        connection = await pool.acquire()
        overdue = connection.get_server_pid()
        with pytest.raises(asyncpg.PostgresConnectionError):
            await connection.execute("select pg_sleep(2)")
        pool.release(connection, sound=False)
        assert await backend(pool) != overdue


async def test_what_nobody_needs_is_closed(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(database, 3) as pool:
        connections = [await pool.acquire() for _ in range(3)]
        for connection in connections:
            pool.release(connection, sound=True)
        assert await eventually(database, 3)
        monkeypatch.setattr(pools, "IDLE", 0.3)
        for _ in range(10):  # one of them is needed
            await backend(pool)
            await asyncio.sleep(0.1)
        assert await eventually(database, 1)
        assert await eventually(database, 0)
