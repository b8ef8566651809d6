"""Several processes that serve on one address."""

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final, final

import uvicorn
from uvicorn.supervisors import Multiprocess

from api.listener import bound

_START: Final = 30.0  # seconds that a process may take to start


@final
class Workers(Multiprocess):
    """uvicorn's, with an even share of the connections for each process.

    From one socket a process takes all the connections it finds, and who comes to the busier one
    waits. So each has a socket of its own, between which the kernel divides them (socket(7),
    SO_REUSEPORT).
    """

    def __init__(
        self, config: uvicorn.Config, host: str, port: int, started: Callable[[int], None]
    ) -> None:
        """Calls `started` with the port when all of them serve.

        Raises `SettingsError` when the address cannot be had.
        """
        address = _SharedAddress(host, port)
        super().__init__(config, sockets=[address])  # type: ignore[list-item]
        self._started = partial(started, address.port)

    def init_processes(self) -> None:
        """Start them, and wait until they serve."""
        super().init_processes()
        if all(process.wait_until_ready(_START, self.should_exit) for process in self.processes):
            self._started()


class _SharedAddress:
    """A socket of its own on this address, for each process that this is sent to."""

    def __init__(self, host: str, port: int) -> None:
        self._kept = bound(host, port)  # alone, as nobody else's; it does not listen
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.port: int = self._kept.getsockname()[1]

    def __reduce__(self) -> tuple[Callable[..., socket.socket], tuple[Any, ...]]:
        return _another, (self._kept.family, self._kept.getsockname())


def _another(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    return made
