"""Is this process ready to serve, and if not, what is wrong? Nothing names a role or a host."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final, final

from api.auth.authenticator import Authenticator
from api.auth.jwks import KeysUnavailable
from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe
from api.database.session import Database

# Seconds.
MAX_AGE: Final = 3.0  # that an answer is good
AWAKE: Final = 120.0  # after the last request in which the database is asked; then it may sleep
TIMEOUT: Final = 2.0  # for all that is asked


@dataclass(frozen=True)
class Report:
    """What keeps it from serving, and what does not yet: sentences, for anybody to read."""

    faults: list[str]
    warnings: list[str]


@final
class Readiness:
    """Asks seldom, and remembers.

    While nobody uses the database, a good answer is good until a connection to it breaks: a probe
    every few seconds would keep a database from going to sleep.
    """

    def __init__(self, database: Database, authenticator: Authenticator) -> None:
        self._database, self._keys = database, authenticator.key_set
        self._asking = asyncio.Lock()
        self._asked = float("-inf")
        self._faults: list[str] = []

    async def report(self) -> Report:
        """What is so now, or was some seconds ago."""
        async with self._asking:
            if not self._is_known():
                self._faults = await self._ask()
                self._asked = time.monotonic()
        keys = self._keys
        stale = keys is not None and keys.is_stale
        return Report(self._faults, ["The issuer's keys are stale."] if stale else [])

    def _is_known(self) -> bool:
        age = time.monotonic() - self._asked
        if age < MAX_AGE or self._faults:
            return age < MAX_AGE
        unused = time.monotonic() - self._database.used > AWAKE
        return unused and not self._database.is_broken

    async def _ask(self) -> list[str]:
        faults = []
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._database.check_row_security()
        except CannotServe as error:
            faults.append(error.sentence)
        except (DatabaseUnavailable, DatabaseError, TimeoutError):
            faults.append("The database cannot be reached.")
        if self._keys is not None:
            try:
                async with asyncio.timeout(TIMEOUT):
                    await self._keys.ensure_loaded()
            except (KeysUnavailable, TimeoutError):
                faults.append("The issuer's keys cannot be had.")
        return faults
