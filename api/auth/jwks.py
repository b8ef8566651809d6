"""The key set of the token issuer (RFC 7517): fetched when needed, kept through outages."""

import asyncio
import json
import logging
import os
import ssl
import time
from collections.abc import Collection
from typing import Any, Final, final

import httpx2
import jwt

from api.reasons import key_log_fault
from api.settings import SettingsError

TTL: Final = 300.0  # seconds a fetched set counts as fresh
MIN_REFRESH_INTERVAL: Final = 2.0  # seconds between the starts of two fetches
MAX_STALE: Final = 86_400.0  # seconds the last good set serves while the issuer is away
TIMEOUT: Final = 3.0  # seconds for one whole fetch
_MAX_BYTES: Final = 256 * 1024

# Key type and curve that belong to each algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1).
_KINDS: Final = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
}

_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

_log = logging.getLogger(__name__)

Keys = dict[tuple[str, str], Any]


class KeysUnavailable(Exception):
    """Whether the issuer has the key cannot be known now: its key set is out of reach."""


def http_client() -> httpx2.AsyncClient:
    """A client that heeds the proxies and the certificates which the environment names.

    Raises `SettingsError` when these cannot be used; it names the variable, not its value.
    """
    try:
        return httpx2.AsyncClient(
            follow_redirects=False,
            headers={"User-Agent": "task-api", "Accept": "application/json"},
        )
    except Exception as error:
        raise SettingsError(_unusable(error)) from None


def _unusable(error: Exception) -> str:
    """Which variable of the environment it was, and what to do."""
    if isinstance(error, OSError) and (fault := key_log_fault()):
        return f"{fault}; name a file that can be, or unset it"
    if isinstance(error, OSError):
        reason = (isinstance(error, ssl.SSLError) and error.reason) or error.strerror
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        return f"{name} cannot be used ({reason}); name certificates in PEM form, or unset it"
    for name in (*_PROXIES, *(name.lower() for name in _PROXIES)):
        try:
            httpx2.AsyncClient(proxy=os.environ.get(name) or None, trust_env=False)
        except ImportError:
            return f"{name} is a SOCKS proxy, which needs: pip install 'httpx2[socks]'; or unset it"
        except Exception:
            return f"{name} is no URL of a proxy; give one such as http://host:3128, or unset it"
    return "NO_PROXY cannot be read; give hosts separated by commas, or unset it"


@final
class KeySet:
    """The public keys at `url`, by key id and algorithm. Fetches are shared, and kept apart."""

    def __init__(self, url: str, algorithms: Collection[str]) -> None:
        """Raises `SettingsError`, as `http_client` does."""
        self._url = url
        self._algorithms = algorithms
        self._keys: Keys = {}
        self._fetched = self._tried = float("-inf")
        self._failed = False
        self.fetches = {"fetched": 0, "failed": 0}
        self._fetch: asyncio.Task[None] | None = None
        self._client = http_client()

    async def key(self, kid: str, algorithm: str) -> Any | None:
        """The key as PyJWT takes it, or None when the issuer has none of that id and algorithm.

        Raises `KeysUnavailable`.
        """
        asked = time.monotonic()
        self._at_hand()
        # Keys rotate lazily: an unknown one may be newer than the last fetch, and a good token is
        # not refused for being early. So wait for a fetch that began after the question.
        while (kid, algorithm) not in self._keys and self._tried < asked:
            if self._failed and self._fetch is None and asked - self._tried < MIN_REFRESH_INTERVAL:
                raise KeysUnavailable
            await self._next_fetch()
        if (found := self._keys.get((kid, algorithm))) is None:
            if self._failed:
                raise KeysUnavailable
            return None
        if (
            self._fetch is None
            and asked - self._fetched > TTL
            and asked - self._tried > MIN_REFRESH_INTERVAL
        ):
            self._start()  # not waited for: the key at hand serves
        return found

    async def ensure_loaded(self) -> None:
        """See that there are keys. Raises `KeysUnavailable`."""
        if not self._at_hand():
            if self._fetch is not None or time.monotonic() - self._tried > MIN_REFRESH_INTERVAL:
                await self._next_fetch()
            if not self._keys:
                raise KeysUnavailable

    @property
    def is_stale(self) -> bool:
        """Whether the keys at hand serve only because newer ones cannot be had."""
        return self._failed and bool(self._at_hand()) and (self.age or 0) > TTL

    @property
    def age(self) -> float | None:
        """Seconds since it was fetched, if it ever was."""
        return time.monotonic() - self._fetched if self._keys else None

    @property
    def ids(self) -> list[tuple[str, str]]:
        """Of the keys at hand, with the algorithm of each."""
        return sorted(self._keys)

    async def close(self) -> None:
        """End a fetch under way, and the connections."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.gather(self._fetch, return_exceptions=True)
        await self._client.aclose()

    def _at_hand(self) -> Keys:
        if time.monotonic() - self._fetched > MAX_STALE:
            self._keys = {}
        return self._keys

    async def _next_fetch(self) -> None:
        """Wait for the fetch under way, or until one may start; then look again."""
        if (
            self._fetch is None
            and (wait := self._tried + MIN_REFRESH_INTERVAL - time.monotonic()) > 0
        ):
            await asyncio.sleep(wait)
        else:
            # shielded: one client's leaving does not take the fetch from the others
            await asyncio.shield(self._fetch or self._start())

    def _start(self) -> asyncio.Task[None]:
        self._tried = time.monotonic()
        self._fetch = asyncio.create_task(self._refresh())
        return self._fetch

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                keys = _usable(await self._download(), self._algorithms)
            if not keys:
                raise ValueError("no usable key in it")
        except Exception as error:  # a proxy, a resolver and a JSON parser have many
            self._failed = True
            self.fetches["failed"] += 1
            _log.warning("key set not fetched: %s: %s", type(error).__name__, error)
        else:
            self._keys, self._fetched, self._failed = keys, time.monotonic(), False
            self.fetches["fetched"] += 1
        finally:
            self._fetch = None

    async def _download(self) -> bytes:
        async with self._client.stream("GET", self._url) as answer:
            if answer.status_code != 200:
                raise ValueError(f"the issuer answered {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise ValueError("larger than any key set")
            return bytes(body)


def _usable(body: bytes, algorithms: Collection[str]) -> Keys:
    document = json.loads(body)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK Set")
    keys: Keys = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or "d" in entry:
            continue
        for algorithm in algorithms:
            if (
                (entry.get("kty"), entry.get("crv")) == _KINDS[algorithm]
                and entry.get("alg", algorithm) == algorithm
                and entry.get("use", "sig") == "sig"
            ):
                try:
                    keys[entry["kid"], algorithm] = jwt.PyJWK(entry, algorithm).key
                except (jwt.PyJWTError, ValueError, TypeError):
                    continue  # one broken key does not spoil the others (RFC 7517, section 5)
    return keys
