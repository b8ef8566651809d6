"""libpq's hostaddr, for asyncpg: a host is connected to at its address, whatever DNS says.

The host's name is still what its certificate is for, and what ~/.pgpass has.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import Any, final

from api import postgres_url


@final
class _Host(str):
    """The name of a host that is reached at an address. Several hosts may have one name."""

    __slots__ = ("address",)
    address: str


def hosts(options: Mapping[str, str]) -> list[str]:
    """The hosts, for `loop`. Raises `ValueError` unless each has an address or none has.

    A folder with an address is the address: libpq opens no socket then.
    """
    names = postgres_url.hosts(options)
    text = options.get("hostaddr") or os.environ.get("PGHOSTADDR")
    if not text or not names:
        return names
    addresses = text.split(",")
    if len(addresses) != len(names):
        raise ValueError(
            f"could not match {len(names)} host names with {len(addresses)} hostaddr values"
        )
    return [_host(*pair) for pair in zip(names, addresses, strict=True)]


def _host(name: str, address: str) -> str:
    if not address:
        return name
    if name.startswith("/"):
        return address
    host = _Host(name)
    host.address = address
    return host


def loop(hosts: Iterable[str]) -> "Loop | None":
    """The loop in which these hosts have their addresses, if one has."""
    return Loop() if any(isinstance(host, _Host) for host in hosts) else None


@final
class Loop:
    """The event loop, in which hosts have their addresses."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        """All else is the loop's."""
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, host: str, port: int, **options: Any) -> Any:
        """Connect to the address of the host."""
        if options.get("ssl"):
            options.setdefault("server_hostname", host)
        address = host.address if isinstance(host, _Host) else host
        return await self._loop.create_connection(factory, address, port, **options)
