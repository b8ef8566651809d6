"""A slow transaction ends in time, keeps its user waiting and nobody else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import BigInteger, bindparam, select

from api.auth.authenticator import User
from api.database.errors import StatementTimeout
from api.database.pipeline import Call, Pipeline
from api.database.session import Database, Transaction
from api.database.statement import CALLER, Statement
from api.settings import DatabaseSettings
from tests.cluster import TaskDatabase

N = bindparam("n", type_=BigInteger)
FACTORIAL = Statement(select(N.label("digits"), CALLER.label("asked_by")))
# No function that takes long is allowed in a statement, so it is put there afterwards.
FACTORIAL.sql = FACTORIAL.sql.replace("$1::BIGINT", "length(factorial($1)::text)")  # type: ignore[misc]
SLOW = 16_000  # its factorial takes a tenth of a second or more

pytestmark = pytest.mark.anyio


@pytest.fixture
async def door(database: TaskDatabase) -> AsyncIterator[Database]:
    settings = DatabaseSettings(database_url=database.task_app, pool_size=6)
    async with Database.connect(settings) as door:
        yield door


async def factorial(tx: Transaction, n: int = SLOW) -> int:
    row = await tx.row(FACTORIAL, n=n)
    assert row
    assert row["asked_by"] == tx.user.id
    return int(row["digits"])


async def limit(tx: Transaction) -> object:
    """The statement_timeout of the statements that follow the first."""
    await factorial(tx, 3)
    asked = Call("select current_setting('statement_timeout') as seconds")
    ((row,),) = await tx._pipeline.run(asked)  # noqa: SLF001
    return row["seconds"]


@pytest.mark.evidence("many-requests")
@pytest.mark.parametrize("reads", [True, False])
async def test_a_slow_statement_is_ended_and_says_why(
    door: Database, database: TaskDatabase, *, reads: bool
) -> None:
    assert await door.run(User("alice"), factorial, reads=reads, slow=True) > 50_000
    hasty = DatabaseSettings(database_url=database.task_app, search_timeout=0.015)
    async with Database.connect(hasty) as other:
        with pytest.raises(StatementTimeout) as ended:
            await other.run(User("alice"), factorial, reads=reads, slow=True)
    assert not ended.value.in_doubt
    assert not ended.value.retryable
    # and nobody else is
    assert await door.run(User("alice"), factorial, reads=reads) > 50_000


async def test_it_has_two_seconds_and_the_next_has_what_the_role_has(door: Database) -> None:
    alice = User("alice")
    assert await door.run(alice, limit, reads=False, slow=True) == "2s"
    assert await door.run(alice, limit, reads=False) == "5s"
    assert door.pool_state.idle == 1  # on the same connection


async def test_it_is_begun_in_one_round_trip(
    door: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[tuple[Call, ...]] = []
    run = Pipeline.run

    async def counted(self: Pipeline, *calls: Call) -> object:
        trips.append(calls)
        return await run(self, *calls)

    monkeypatch.setattr(Pipeline, "run", counted)
    await door.run(User("alice"), lambda tx: factorial(tx, 3), reads=True, slow=True)
    assert [len(calls) for calls in trips] == [4]


async def test_of_a_user_one_runs_at_a_time_and_others_do_not_wait_for_it(door: Database) -> None:
    running: list[str] = []
    go_on = asyncio.Event()

    def waits(name: str) -> Callable[[Transaction], Awaitable[None]]:
        async def work(tx: Transaction) -> None:
            await factorial(tx, 3)
            running.append(name)
            await go_on.wait()

        return work

    def slow(user: str, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(door.run(User(user), waits(name), reads=True, slow=True))

    asked = [slow("alice", "first"), slow("alice", "second"), slow("bob", "bob's")]
    for _ in range(100):
        await asyncio.sleep(0.01)
        if len(running) == 2:
            break
    await door.run(User("alice"), lambda tx: factorial(tx, 3), reads=True)  # a quick one
    await asyncio.sleep(0.05)
    assert sorted(running) == ["bob's", "first"]
    assert door.pool_state.waiting == 1
    go_on.set()
    await asyncio.gather(*asked)
    assert running[2:] == ["second"]


async def test_who_gives_up_a_slow_one_may_ask_for_the_next(door: Database) -> None:
    asked = asyncio.create_task(door.run(User("alice"), factorial, reads=True, slow=True))
    await asyncio.sleep(0.1)
    asked.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    async with asyncio.timeout(5):  # after a rest
        assert await door.run(User("alice"), lambda tx: factorial(tx, 3), reads=True, slow=True)
