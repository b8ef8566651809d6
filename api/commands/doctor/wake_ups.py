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

_ABOUT: Final = "streams"
_CHANNEL: Final = "task_api_doctor"
_NOTIFY: Final = f"notify {_CHANNEL}"


async def wake_ups() -> AsyncIterator[Finding]:
    """Which of the three it is, and whether what is notified on DATABASE_URL is heard."""
    try:
        settings = load(Settings)
    except SettingsError:
        yield skip(_ABOUT, "what says how processes wake each other's is refused, above")
        return
    if settings.listen_database_url is None:
        yield ok(
            _ABOUT,
            "woken by all processes, through the Redis of the rate limits"
            if settings.shared_redis is not None
            else "each process wakes its own alone: LISTEN_DATABASE_URL is not set",
        )
        return
    url = settings.listen_database_url.get_secret_value()
    try:
        took = await _heard(url, settings.database_url.get_secret_value())
    except CannotConnect as error:
        yield fail(_ABOUT, str(error), "Check LISTEN_DATABASE_URL, and that it is up.")
    except TimeoutError:
        yield fail(
            _ABOUT,
            "what is notified on DATABASE_URL is not heard on LISTEN_DATABASE_URL",
            "Make it a direct connection, without a pooler, to the same database.",
        )
    except Exception as error:  # drivers raise many kinds
        yield fail(_ABOUT, reason(error, url), "Check LISTEN_DATABASE_URL, and that it is up.")
    else:
        yield ok(_ABOUT, f"woken by all processes, through LISTEN: {took * 1000:.0f} ms")


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
