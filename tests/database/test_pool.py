"""Connections are lent to users in turn, for a time, and not again when something went wrong."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from api.database import pool as pools
from api.database.pipeline import BEGIN, ROLLBACK, Call, Connection
from api.database.pool import Pool
from tests.cluster import TaskDatabase

pytestmark = pytest.mark.anyio

_THIS_POOL = "the pool of test_pool"  # other servers may be at work on the same database


async def connected(url: str, within: float) -> Connection:
    connection: Connection = await asyncpg.connect(
        url,
        server_settings={"application_name": _THIS_POOL},
        timeout=within,
        connection_class=Connection,
    )
    return connection


@contextlib.asynccontextmanager
async def opened(
    database: TaskDatabase,
    size: int,
    patience: float = 2,
    share: int | None = None,
    **limits: float,
) -> AsyncIterator[Pool]:
    pool = Pool(lambda within: connected(database.direct, within), size, patience, share, **limits)
    try:
        yield pool
    finally:
        await pool.close()


async def backend(pool: Pool) -> int:
    """The process at the other end of the connection that is lent next."""
    connection = await pool.acquire()
    pool.release(connection)
    return int(connection.get_server_pid())


async def refusal(
    pool: Pool, user: str | None = None, *, slow: bool = False
) -> BaseException | None:
    """Why there is no connection; None when nothing is said for long."""
    asking = asyncio.create_task(pool.acquire(user, slow=slow))
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


async def served(pool: Pool, waiting: list[str | None], *, slow: bool = False) -> list[str | None]:
    """These ask in this order while alice has the only connection: in which they are served."""
    order: list[str | None] = []

    async def asks(user: str | None, number: int) -> None:
        connection = await pool.acquire(user, slow=slow)
        await connection.execute("select 1")
        order.append(f"{user} {number}" if user else None)
        pool.release(connection)

    first = await pool.acquire("alice")
    asking, numbers = [], Counter[str | None]()
    for user in waiting:
        asking.append(asyncio.create_task(asks(user, numbers[user])))
        numbers[user] += 1
        await asyncio.sleep(0)
    pool.release(first)
    await asyncio.gather(*asking)
    return order


@pytest.mark.parametrize("user", ["alice", "bob"])
async def test_of_one_user_who_came_first_is_served_first(
    database: TaskDatabase, user: str
) -> None:
    async with opened(database, 1) as pool:
        assert await served(pool, [user] * 20) == [f"{user} {number}" for number in range(20)]


@pytest.mark.evidence("many-requests")
@pytest.mark.parametrize("slow", [False, True])
async def test_users_are_served_in_turn_however_many_requests_they_have(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    monkeypatch.setattr(pools, "REST", 0)
    async with opened(database, 1) as pool:
        waiting: list[str | None] = [*["alice"] * 6, *["bob"] * 2, "carol"]
        assert await served(pool, waiting, slow=slow) == [
            "alice 0", "bob 0", "carol 0", "alice 1", "bob 1", "alice 2", "alice 3", "alice 4",
            "alice 5",
        ]  # fmt: skip


async def test_the_gate_is_asked_before_everybody_else(database: TaskDatabase) -> None:
    async with opened(database, 1) as pool:
        order = await served(pool, ["alice", "alice", "bob", None, None])
        assert order == [None, None, "alice 0", "bob 0", "alice 1"]


@pytest.mark.evidence("many-requests")
@pytest.mark.parametrize(("size", "share"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)])
async def test_a_user_holds_half_of_the_pool_at_most_even_where_nobody_waits_yet(
    database: TaskDatabase, size: int, share: int
) -> None:
    async with opened(database, size) as pool:
        greedy = [asyncio.create_task(pool.acquire("alice")) for _ in range(size * 2)]
        await asyncio.wait(greedy, timeout=0.5)
        assert pool.state.in_use == share
        others = [await pool.acquire(f"bob {number}") for number in range(size - share)]
        for connection in others:
            pool.release(connection)
        for one in greedy:
            pool.release(await one)
            assert pool.state.in_use <= share


async def test_a_share_may_be_the_whole_pool(database: TaskDatabase) -> None:
    async with opened(database, 2, share=2) as pool:
        for connection in [await pool.acquire("alice") for _ in range(2)]:
            pool.release(connection)


async def test_of_a_user_one_slow_transaction_runs_at_a_time(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "REST", 0)
    async with opened(database, 6) as pool:
        first = await pool.acquire("alice", slow=True)
        others = [asyncio.create_task(pool.acquire("alice", slow=True)) for _ in range(2)]
        await asyncio.wait(others, timeout=0.2)
        assert pool.state == (1, 0, 2)  # without a connection
        quick = await pool.acquire("alice")  # overtakes
        bobs = await pool.acquire("bob", slow=True)
        pool.release(quick)
        pool.release(bobs)
        assert not any(one.done() for one in others)
        pool.release(first)
        second = await others[0]
        assert not others[1].done()
        others[1].cancel()
        pool.release(second)
        pool.release(await pool.acquire("alice", slow=True))


async def test_after_a_slow_transaction_the_users_next_one_rests_and_nobody_elses_does(
    database: TaskDatabase,
) -> None:
    async with opened(database, 6) as pool:
        for held, rest in ((0.02, 0.02 * pools.REST), (0.5, 2 * pools.MAX_REST)):
            first = await pool.acquire("alice", slow=True)
            await asyncio.sleep(held)
            pool.release(first)
            began = asyncio.get_running_loop().time()
            pool.release(await pool.acquire("alice"))
            pool.release(await pool.acquire("bob", slow=True))
            assert asyncio.get_running_loop().time() - began < rest / 2
            pool.release(await pool.acquire("alice", slow=True))
            assert asyncio.get_running_loop().time() - began > rest * 0.9
            await asyncio.sleep(0.1)  # this one took no time, and rests for none


async def test_who_waits_behind_a_slow_one_waits_no_longer_than_others(
    database: TaskDatabase,
) -> None:
    async with opened(database, 4, patience=0.2) as pool:
        first = await pool.acquire("alice", slow=True)
        assert isinstance(await refusal(pool, "alice", slow=True), TimeoutError)
        pool.release(first)
        pool.release(await pool.acquire("alice", slow=True))


async def test_a_failure_to_connect_leaves_no_slow_transaction_behind(
    database: TaskDatabase,
) -> None:
    refused = [True]

    async def connect(within: float) -> Connection:
        if refused and refused.pop():
            raise OSError("nobody is there")
        return await connected(database.task_app, within)

    pool = Pool(connect, 2, timeout=2)
    with pytest.raises(OSError, match="nobody"):
        await pool.acquire("alice", slow=True)
    async with asyncio.timeout(1):
        pool.release(await pool.acquire("alice", slow=True))
    await pool.close()


async def test_whatever_happens_no_place_is_lost_and_no_share_exceeded(
    database: TaskDatabase,
) -> None:
    chance = random.Random(1)  # noqa: S311 - the same each time
    held, slow_ones = Counter[str](), Counter[str]()

    async def asks(pool: Pool, user: str, *, slow: bool) -> None:
        connection = await pool.acquire(user, slow=slow)
        held[user] += 1
        slow_ones[user] += slow
        try:
            assert held[user] <= 2
            assert slow_ones[user] <= 1
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.1:
                connection.terminate()
        finally:
            held[user] -= 1
            slow_ones[user] -= slow
            pool.release(connection)

    async with opened(database, 4, patience=20) as pool:
        asking = []
        for _ in range(300):
            user, slow = chance.choice(["alice", "bob", "carol"]), chance.random() < 0.3
            asking.append(asyncio.create_task(asks(pool, user, slow=slow)))
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                chance.choice(asking).cancel()
        for one in await asyncio.gather(*asking, return_exceptions=True):
            assert one is None or isinstance(one, asyncio.CancelledError)
        assert (pool.state.in_use, pool.state.waiting) == (0, 0)
        async with asyncio.timeout(2):
            everything = [await pool.acquire(user) for user in ("alice", "alice", "bob", "bob")]
        for connection in everything:
            pool.release(connection)


async def test_who_waits_too_long_is_told_and_nobody_else_loses_by_it(
    database: TaskDatabase,
) -> None:
    async with opened(database, 1, patience=0.2) as pool:
        first = await pool.acquire()
        assert isinstance(await refusal(pool), TimeoutError)
        pool.release(first)
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
            pool.release(first)
        gives_up.cancel()
        await asyncio.gather(gives_up, return_exceptions=True)
        if not is_free_by_then:
            pool.release(first)
        assert gives_up.cancelled()
        async with asyncio.timeout(1):
            assert await backend(pool) == first.get_server_pid()


@pytest.mark.evidence("busy-connection")
@pytest.mark.parametrize(
    "asked",
    [
        (BEGIN,),
        (BEGIN, Call("select 1 / 0")),
        (Call("select pg_sleep(60)"),),
        (BEGIN, Call("select pg_sleep(60)")),
    ],
    ids=["in a transaction", "in one that failed", "asked", "asked in a transaction"],
)
async def test_a_connection_that_is_not_sound_is_not_lent_again(
    database: TaskDatabase, asked: tuple[Call, ...]
) -> None:
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        unsound = first.get_server_pid()
        with contextlib.suppress(asyncpg.PostgresError, TimeoutError):
            await asyncio.wait_for(first.pipeline.run(*asked), 0.2)
        pool.release(first)
        assert await backend(pool) != unsound
        assert first.is_closed()


async def test_a_transaction_that_was_rolled_back_leaves_a_sound_connection(
    database: TaskDatabase,
) -> None:
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        with pytest.raises(asyncpg.DivisionByZeroError):
            await first.pipeline.run(BEGIN, Call("select 1 / 0"))
        await first.pipeline.run(ROLLBACK)
        pool.release(first)
        assert await backend(pool) == first.get_server_pid()


async def test_a_connection_that_broke_meanwhile_is_not_lent_again(database: TaskDatabase) -> None:
    async with opened(database, 2) as pool:
        kept, broken = await pool.acquire(), await pool.acquire()
        pool.release(kept)
        pool.release(broken)
        broken.terminate()
        assert await backend(pool) == kept.get_server_pid()


async def test_waiting_and_connecting_share_the_time(database: TaskDatabase) -> None:
    had: list[float] = []

    async def connect(within: float) -> Connection:
        had.append(within)
        return await connected(database.task_app, within)

    pool = Pool(connect, 1, timeout=2)
    first = await pool.acquire()
    second = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0.5)
    first.terminate()
    pool.release(first)
    pool.release(await second)
    await pool.close()
    assert had[0] > 1.9
    assert had[1] <= 1.5


async def test_where_too_many_wait_nobody_else_does(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_WAITERS_PER_CONNECTION", 3)
    async with opened(database, 1) as pool:
        first = await pool.acquire()
        waiting = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        async with asyncio.timeout(0.5):
            with pytest.raises(TimeoutError):
                await pool.acquire()
        pool.release(first)
        for one in waiting:
            pool.release(await one)


@pytest.mark.evidence("many-requests")
async def test_who_fills_the_queue_keeps_nobody_else_out_of_it(
    database: TaskDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_WAITERS_PER_CONNECTION", 5)
    async with opened(database, 1) as pool:
        first = await pool.acquire("alice")
        greedy = [asyncio.create_task(pool.acquire("alice", slow=n == 1)) for n in range(5)]
        await asyncio.sleep(0)
        assert isinstance(await refusal(pool, "alice"), TimeoutError)
        # each takes the place of the newest of whoever has the most, and no more than is fair
        bobs = [asyncio.create_task(pool.acquire("bob")) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert isinstance(await refusal(pool, "bob"), TimeoutError)
        assert [one.done() for one in greedy] == [False, True, False, False, True]
        carols = asyncio.create_task(pool.acquire("carol"))
        gate = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.05)
        told = [one for one in (*greedy, *bobs, carols) if one.done()]
        assert len(told) == 4
        assert pool.state.waiting == 5
        pool.release(first)
        for one in (gate, greedy[0], bobs[0], carols, bobs[1]):
            pool.release(await one)
        for one in told:
            assert isinstance(one.exception(), TimeoutError)


async def test_a_fresh_connection_is_none_of_those_at_hand(database: TaskDatabase) -> None:
    async with opened(database, 2) as pool:
        at_hand = [await pool.acquire() for _ in range(2)]
        known = {connection.get_server_pid() for connection in at_hand}
        for connection in at_hand:
            pool.release(connection)
        fresh = await pool.acquire(fresh=True)
        assert fresh.get_server_pid() not in known
        pool.release(fresh)
        assert await eventually(database, 1)


async def test_a_failure_to_connect_keeps_no_place(database: TaskDatabase) -> None:
    answers: list[Any] = [OSError("nobody is there"), None]

    async def connect(within: float) -> Connection:
        if (failure := answers.pop(0)) is not None:
            raise failure
        return await connected(database.task_app, within)

    pool = Pool(connect, 1, timeout=2)
    with pytest.raises(OSError, match="nobody"):
        await pool.acquire()
    async with asyncio.timeout(1):
        assert await backend(pool)
    await pool.close()


async def test_a_loan_ends(database: TaskDatabase) -> None:
    async with opened(database, 1, max_lease=0.2) as pool:
        connection = await pool.acquire()
        overdue = connection.get_server_pid()
        with pytest.raises(asyncpg.PostgresConnectionError):
            await connection.execute("select pg_sleep(2)")
        pool.release(connection)
        assert await backend(pool) != overdue


async def test_what_nobody_needs_is_closed(database: TaskDatabase) -> None:
    async with opened(database, 3, max_idle=1) as pool:
        connections = [await pool.acquire() for _ in range(3)]
        for connection in connections:
            pool.release(connection)
        assert await eventually(database, 3)
        for _ in range(20):  # one of them is needed
            await backend(pool)
            await asyncio.sleep(0.1)
        assert await eventually(database, 1)
        assert await eventually(database, 0)
