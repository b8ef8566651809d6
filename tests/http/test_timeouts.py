"""Whoever takes too long is cancelled, and knows why; nobody else is."""

import asyncio

import pytest

from api.http.timeouts import Deadlines

SOON = 0.05  # seconds
FAR = 60.0

pytestmark = pytest.mark.anyio


async def test_who_is_late_is_given_up() -> None:
    with pytest.raises(TimeoutError), Deadlines(SOON).one():
        await asyncio.sleep(FAR)
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0
    await asyncio.sleep(0)  # and goes on as if nothing had been


async def test_only_who_is_late_is_given_up() -> None:
    deadlines = Deadlines(0.3)

    async def waits(seconds: float) -> str:
        with deadlines.one():
            await asyncio.sleep(seconds)
        return "in time"

    late = asyncio.create_task(waits(FAR))
    await asyncio.sleep(0.2)
    assert {*await asyncio.gather(waits(0.2), waits(0))} == {"in time"}
    with pytest.raises(TimeoutError):
        await late


async def test_who_has_ended_is_left_alone() -> None:
    with Deadlines(SOON).one():
        pass
    await asyncio.sleep(SOON + 0.3)


async def test_who_is_cancelled_by_others_is_cancelled() -> None:
    async def waits() -> None:
        with Deadlines(FAR).one():
            await asyncio.sleep(FAR)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_late_and_cancelled_besides_is_cancelled() -> None:
    async def waits() -> None:
        with Deadlines(SOON).one():
            try:
                await asyncio.sleep(FAR)
            except asyncio.CancelledError:
                task.cancel()  # the server stops, just now
                raise

    task = asyncio.create_task(waits())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_goes_wrong_in_time_is_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Deadlines(FAR).one():
        raise ZeroDivisionError


async def test_one_may_be_within_another() -> None:
    with Deadlines(FAR).one():
        with pytest.raises(TimeoutError), Deadlines(SOON).one():
            await asyncio.sleep(FAR)
        await asyncio.sleep(0)


async def test_nobody_looks_when_there_is_nobody_to_look_at() -> None:
    deadlines = Deadlines(0.2)
    with deadlines.one():
        assert deadlines._round  # noqa: SLF001
    await asyncio.sleep(0.3)
    assert deadlines._round is None  # noqa: SLF001
    with pytest.raises(TimeoutError), deadlines.one():  # and looks again for the next
        await asyncio.sleep(FAR)
