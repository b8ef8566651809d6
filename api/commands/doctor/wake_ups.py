"""Checks of what wakes the streams of other processes: LISTEN, Redis, or nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from api.commands.doctor.finding import (
    CHECK_TIMEOUT,
    CLOSE_TIMEOUT,
    Finding,
    fail,
    ok,
    reason,
    skip,
)
from api.database.connector import CannotConnect, Connector
from api.settings import Settings, SettingsError, load
from api.sync.channels import ChannelDown, RedisChannel

_ABOUT: Final = "streams"
_CHANNEL: Final = "task_api_doctor"
_NOTIFY: Final = f"notify {_CHANNEL}"
_MESSAGE: Final = "doctor"  # which says nothing to a process that serves


async def wake_ups() -> AsyncIterator[Finding]:
    """Which of the three it is, and whether what is said there is heard."""
    try:
        settings = load(Settings)
    except SettingsError:
        yield skip(_ABOUT, "what says how processes wake each other's is refused, above")
        return
    if settings.listen_database_url is not None:
        listening = settings.listen_database_url.get_secret_value()
        yield await _listen(listening, settings.database_url.get_secret_value())
    elif settings.shared_redis is not None:
        yield await _redis(settings.shared_redis)
    else:
        yield ok(_ABOUT, "each process wakes its own alone: LISTEN_DATABASE_URL is not set")


async def _redis(url: str) -> Finding:
    began, heard = asyncio.Event(), asyncio.Event()
    channel, fault = RedisChannel(url), ""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT), asyncio.TaskGroup() as both:
            listening = both.create_task(channel.listen(began.set, lambda _: heard.set()))
            await began.wait()
            started = time.perf_counter()
            await channel.send([_MESSAGE])
            await heard.wait()
            listening.cancel()
    except* (ChannelDown, TimeoutError) as errors:
        fault = str(errors.exceptions[0]) or f"Redis: no answer within {CHECK_TIMEOUT:g} s"
    finally:
        await channel.close()
    if fault:
        return fail(_ABOUT, fault, "Check RATE_LIMIT_STORAGE, and that Redis is up.")
    took = time.perf_counter() - started
    about = "woken by all processes, through the Redis of the rate limits"
    return ok(_ABOUT, f"{about}: {took * 1000:.0f} ms")


async def _listen(url: str, notifying_url: str) -> Finding:
    try:
        took = await _heard(url, notifying_url)
    except CannotConnect as error:
        return fail(_ABOUT, str(error), "Check LISTEN_DATABASE_URL, and that it is up.")
    except TimeoutError:
        return fail(
            _ABOUT,
            "what is notified on DATABASE_URL is not heard on LISTEN_DATABASE_URL",
            "Make it a direct connection, without a pooler, to the same database.",
        )
    except Exception as error:  # drivers raise many kinds
        return fail(_ABOUT, reason(error, url), "Check LISTEN_DATABASE_URL, and that it is up.")
    return ok(_ABOUT, f"woken by all processes, through LISTEN: {took * 1000:.0f} ms")


async def _heard(listening_url: str, notifying_url: str) -> float:
    """The seconds until a NOTIFY is heard. Raises `CannotConnect`, `TimeoutError` and others."""
    heard = asyncio.Event()
    listening = await Connector(listening_url)(CHECK_TIMEOUT)
    try:
        await listening.add_listener(_CHANNEL, lambda *_: heard.set())
        notifying = await Connector(notifying_url)(CHECK_TIMEOUT)
        try:
            began = time.perf_counter()
            async with asyncio.timeout(CHECK_TIMEOUT):
                await notifying.execute(_NOTIFY)
                await heard.wait()
            return time.perf_counter() - began
        finally:
            await notifying.close(timeout=CLOSE_TIMEOUT)
    finally:
        await listening.close(timeout=CLOSE_TIMEOUT)
