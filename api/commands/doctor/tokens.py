"""Checks of token verification: the mode, the key set (JWKS), the issuer's clock."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

from api.auth.authenticator import LEEWAY
from api.auth.jwks import KeySet, KeysUnavailable, http_client
from api.commands.doctor.configuration import shown
from api.commands.doctor.finding import (
    LOOPBACK,
    Finding,
    Level,
    fail,
    ok,
    reason,
    seconds,
    sentence,
    skip,
    warn,
)
from api.settings import AuthSettings, SettingsError, load


async def tokens() -> AsyncIterator[Finding]:
    """The mode, the key set fetched as the server does it, and the issuer's clock."""
    try:
        settings = load(AuthSettings)
    except SettingsError:
        yield skip("mode", "what says how tokens are verified is refused, above")
        return
    yield ok("mode", _mode(settings))
    if (url := settings.auth_jwks_url) is None:
        yield skip("key set", "there is none in this mode")
        return
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in LOOPBACK:
        yield warn(
            "transport",
            "the keys come over http://, where anybody in between can give their own",
            "Give AUTH_JWKS_URL as https://.",
        )
    keys = await _keys(url, settings)
    yield keys
    if keys.level is Level.OK:
        yield await _clock(url, settings.auth_jwks_timeout)


def _mode(settings: AuthSettings) -> str:
    issuer = settings.auth_issuer or "any"
    audience = settings.auth_audience or "any"
    claims = f"issuer: {issuer}, audience: {audience}, user id in {settings.auth_user_claim}"
    if settings.auth_jwks_url is None:
        return f"a shared secret: HS256, {claims}"
    algorithms = ", ".join(settings.auth_algorithms)
    return f"a key set: {algorithms}, {claims}"


class _LastLogMessage(logging.Handler):
    """Keeps the last log message: `KeySet` only logs why a fetch failed."""

    def __init__(self) -> None:
        super().__init__()
        self.message = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.message = record.getMessage()


async def _keys(url: str, settings: AuthSettings) -> Finding:
    log, last = logging.getLogger("api.auth.jwks"), _LastLogMessage()
    try:
        keys = KeySet(url, settings.auth_algorithms, settings.auth_jwks_timeout)
    except SettingsError as error:
        what, _, remedy = str(error).partition("; ")
        return fail("key set", what, sentence(remedy))
    log.addHandler(last)
    started = time.perf_counter()
    try:
        await keys.ensure_loaded()
    except KeysUnavailable:
        what = f"Look at {shown('AUTH_JWKS_URL', url)}"
        return fail(
            "key set",
            last.message.removeprefix("key set not fetched: "),
            f"{what}: is it up, is it a JWK Set, are its keys for AUTH_ALGORITHMS?",
        )
    finally:
        log.removeHandler(last)
        await keys.close()
    took = (time.perf_counter() - started) * 1000
    names = ", ".join(f"{kid} ({algorithm})" for kid, algorithm in keys.ids)
    return ok("key set", f"{len(keys.ids)} usable, in {took:.0f} ms: {names}")


async def _clock(url: str, timeout: float) -> Finding:  # noqa: ASYNC109
    about = "issuer's clock"
    try:
        async with (
            asyncio.timeout(timeout),
            http_client() as client,
            client.stream("GET", url) as response,
        ):
            date, age = response.headers.get("Date"), response.headers.get("Age")
        now = time.time()
        said = parsedate_to_datetime(date or "").replace(tzinfo=UTC).timestamp()
    except (httpx2.HTTPError, OSError) as error:
        return skip(about, reason(error, url))
    except ValueError:
        return skip(about, "the issuer does not say what time it is")
    if age:
        return skip(about, "the answer comes from a cache")
    skew = said + 0.5 - now  # a Date has whole seconds
    if abs(skew) > LEEWAY:
        return warn(
            about,
            seconds(skew),
            f"Set both clocks by NTP: more than {LEEWAY} s, and good tokens are refused.",
        )
    return ok(about, seconds(skew))
