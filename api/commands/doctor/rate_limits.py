"""Checks of the storage that the rate limits share: counts there, as the server does."""

import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from api.commands.doctor.finding import CHECK_TIMEOUT, LOOPBACK, Finding, fail, ok, skip, warn
from api.http.shared_counters import SharedCounters, cause
from api.settings import RateLimitSettings, SettingsError, load

_ABOUT: Final = "shared count"


async def rate_limits() -> AsyncIterator[Finding]:
    """Whether Redis counts, and whether the connection is encrypted."""
    try:
        settings = load(RateLimitSettings)
    except SettingsError:
        yield skip(_ABOUT, "what says where requests are counted is refused, above")
        return
    url = settings.rate_limit_storage.get_secret_value()
    if url == "memory://":
        yield ok(_ABOUT, "none: each process counts by itself")
        return
    counters = SharedCounters(url, CHECK_TIMEOUT)
    started = time.perf_counter()
    try:
        await counters.probe()
    except counters.failures as error:
        remedy = "Check RATE_LIMIT_STORAGE, and that Redis is up; meanwhile each process counts by"
        yield fail(_ABOUT, f"Redis: {cause(error)}", f"{remedy} itself.")
        return
    finally:
        await counters.close()
    took = time.perf_counter() - started
    if took > (allowed := settings.rate_limit_storage_timeout):
        yield warn(
            _ABOUT,
            f"in Redis: {took * 1000:.0f} ms to connect and count, and the server waits "
            f"{allowed * 1000:g} ms, then each process counts by itself",
            "Raise RATE_LIMIT_STORAGE_TIMEOUT, or use a Redis that is nearer.",
        )
    else:
        yield ok(_ABOUT, f"in Redis: {took * 1000:.0f} ms to count")
    parts = urlsplit(url)
    if parts.scheme == "redis" and parts.hostname not in LOOPBACK:
        yield warn(
            "encryption",
            "none: the password, user ids and IP addresses travel in the open",
            "Give RATE_LIMIT_STORAGE as rediss://.",
        )
