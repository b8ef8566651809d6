"""libpq's hostaddr, for asyncpg: a host is connected to at its address, whatever DNS says.

The host's name is still what its certificate is for, and what ~/.pgpass has.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Any, final

from api import postgres_url


def given(options: Mapping[str, str]) -> dict[str, str]:
    """The addresses by the names of their hosts. Raises `ValueError` unless each has one."""
    text = options.get("hostaddr") or os.environ.get("PGHOSTADDR")
    names = postgres_url.hosts(options)
    if not text or not names:
        return {}
    addresses = text.split(",")
    if len(addresses) != len(names):
        raise ValueError(
            f"could not match {len(names)} host names with {len(addresses)} hostaddr values"
        )
    pairs = zip(names, addresses, strict=True)
    return {name: address for name, address in pairs if address and address != name}


@final
class Loop:
    """The event loop, in which these hosts have these addresses."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses, self._loop = addresses, asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        """All else is the loop's."""
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, host: str, port: int, **options: Any) -> Any:
        """Connect to the address of the host."""
        if options.get("ssl"):
            options.setdefault("server_hostname", host)
        address = self._addresses.get(host, host)
        return await self._loop.create_connection(factory, address, port, **options)
