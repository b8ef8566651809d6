"""The token issuer's key set (JWKS, RFC 7517): fetched when needed, cached through outages."""

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
MAX_STALE: Final = 86_400.0  # seconds the last good set is used while the issuer is unreachable
_MAX_BYTES: Final = 256 * 1024

# Key type and curve of each algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1).
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
    """The issuer's key set cannot be fetched, so whether it has a key is unknown."""


def http_client() -> httpx2.AsyncClient:
    """An HTTP client with the proxies and the certificates that the environment names.

    It has no timeout of its own.
    Raises `SettingsError` when these cannot be used; it names the variable, not its value.
    """
    try:
        return httpx2.AsyncClient(
            follow_redirects=False,
            timeout=None,  # AUTH_JWKS_TIMEOUT bounds the whole fetch, whatever httpx's five seconds
            headers={"User-Agent": "task-api", "Accept": "application/json"},
        )
    except Exception as error:
        raise SettingsError(_unusable(error)) from None


def _unusable(error: Exception) -> str:
    """The environment variable that cannot be used, and the remedy."""
    if isinstance(error, OSError) and (failure := key_log_fault()):
        return f"{failure}; name a file that can be, or unset it"
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
    """The public keys at `url`, by key id and algorithm.

    Concurrent callers share a fetch; fetches start at least MIN_REFRESH_INTERVAL apart.
    """

    def __init__(self, url: str, algorithms: Collection[str], timeout: float) -> None:
        """`timeout`: seconds for one whole fetch. Raises `SettingsError`, as `http_client` does."""
        self._url, self._timeout = url, timeout
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
        requested_at = time.monotonic()
        self._cached()
        # An unknown key may be newer than the last fetch, since issuers rotate keys when they need
        # them, and a good token is not refused for that: wait for a fetch that began after the
        # request.
        while (kid, algorithm) not in self._keys and self._tried < requested_at:
            if (
                self._failed
                and self._fetch is None
                and requested_at - self._tried < MIN_REFRESH_INTERVAL
            ):
                raise KeysUnavailable
            await self._next_fetch()
        if (found := self._keys.get((kid, algorithm))) is None:
            if self._failed:
                raise KeysUnavailable
            return None
        if (
            self._fetch is None
            and requested_at - self._fetched > TTL
            and requested_at - self._tried > MIN_REFRESH_INTERVAL
        ):
            self._start()  # in the background: the cached key is used
        return found

    async def ensure_loaded(self) -> None:
        """Fetch the keys unless some are cached. Raises `KeysUnavailable`."""
        if not self._cached():
            if self._fetch is not None or time.monotonic() - self._tried > MIN_REFRESH_INTERVAL:
                await self._next_fetch()
            if not self._keys:
                raise KeysUnavailable

    @property
    def is_stale(self) -> bool:
        """Whether the cached keys are older than TTL because newer ones cannot be fetched."""
        return self._failed and bool(self._cached()) and (self.age or 0) > TTL

    @property
    def age(self) -> float | None:
        """Seconds since the cached keys were fetched; None without any."""
        return time.monotonic() - self._fetched if self._keys else None

    @property
    def ids(self) -> list[tuple[str, str]]:
        """Key id and algorithm of each cached key."""
        return sorted(self._keys)

    async def close(self) -> None:
        """Cancel a running fetch, and close the connections."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.gather(self._fetch, return_exceptions=True)
        await self._client.aclose()

    def _cached(self) -> Keys:
        if time.monotonic() - self._fetched > MAX_STALE:
            self._keys = {}
        return self._keys

    async def _next_fetch(self) -> None:
        """Wait for the running fetch, or until one may start; then the caller checks again."""
        if (
            self._fetch is None
            and (wait := self._tried + MIN_REFRESH_INTERVAL - time.monotonic()) > 0
        ):
            await asyncio.sleep(wait)
        else:
            # shielded: a cancelled caller does not cancel the fetch of the others
            await asyncio.shield(self._fetch or self._start())

    def _start(self) -> asyncio.Task[None]:
        self._tried = time.monotonic()
        self._fetch = asyncio.create_task(self._refresh())
        return self._fetch

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                keys = _usable(await self._download(), self._algorithms)
            if not keys:
                raise ValueError("no usable key in it")
        except Exception as error:  # a proxy, a resolver and a JSON parser raise many kinds
            self._failed = True
            self.fetches["failed"] += 1
            _log.warning("key set not fetched: %s", self._cause(error))
        else:
            self._keys, self._fetched, self._failed = keys, time.monotonic(), False
            self.fetches["fetched"] += 1
        finally:
            self._fetch = None

    def _cause(self, error: Exception) -> str:
        late = isinstance(error, TimeoutError)
        words = f"no answer within {self._timeout:g} s" if late else str(error)
        return f"{type(error).__name__}: {words}" if words else type(error).__name__

    async def _download(self) -> bytes:
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != 200:
                raise ValueError(f"the issuer answered {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
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
