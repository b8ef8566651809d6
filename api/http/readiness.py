"""Readiness checks of the database, the key set and the shared rate limits.

Reports name no role or host.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final, final

from api.auth.authenticator import Authenticator
from api.auth.jwks import KeysUnavailable
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe
from api.database.session import Database
from api.http.rate_limits import RateLimits

MAX_AGE: Final = 3.0  # seconds that a result is cached
AWAKE: Final = 120.0  # seconds after a request until the database is checked no more: it may sleep

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """Why the process cannot serve, and warnings: sentences fit for the public."""

    faults: list[str]
    warnings: list[str]


@final
class Readiness:
    """Cached readiness checks.

    While no request uses the database, a good result stays valid until a connection to it breaks:
    a query every few seconds would keep a serverless database from suspending.
    """

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        rate_limits: RateLimits,
        timeout: float,
    ) -> None:
        """`timeout`: the seconds that each check may take."""
        self._database, self._keys = database, authenticator.key_set
        self._rate_limits, self._timeout = rate_limits, timeout
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._faults: list[str] = []
        self._refusal = ""  # of the gate, as it was logged

    async def report(self) -> Report:
        """The current report, at most `MAX_AGE` seconds old while the database is in use."""
        async with self._lock:
            if not self._is_known():
                self._faults = await self._check()
                self._checked_at = time.monotonic()
        return Report(self._faults, await self._warnings())

    async def _warnings(self) -> list[str]:
        warnings = []
        if self._keys is not None and self._keys.is_stale:
            warnings.append("The issuer's keys are stale.")
        if await self._rate_limits.is_storage_up() is False:
            warnings.append("The shared rate limits cannot be reached.")
        return warnings

    def _is_known(self) -> bool:
        age = time.monotonic() - self._checked_at
        if age < MAX_AGE or self._faults:
            return age < MAX_AGE
        unused = time.monotonic() - self._database.used > AWAKE
        return unused and not self._database.is_broken

    async def _check(self) -> list[str]:
        faults = []
        try:
            async with asyncio.timeout(self._timeout):
                await self._database.check_row_security()
            self._refusal = ""
        except CannotServe as error:
            faults.append(error.sentence)
            if self._refusal != (refusal := str(error)):
                _log.warning("not ready: %s", refusal)
            self._refusal = refusal
        except (DatabaseUnavailable, DatabaseError, TimeoutError):
            faults.append("The database cannot be reached.")
        if self._keys is not None:
            try:
                async with asyncio.timeout(self._timeout):
                    await self._keys.ensure_loaded()
            except (KeysUnavailable, TimeoutError):
                faults.append("The issuer's keys cannot be had.")
        return faults
