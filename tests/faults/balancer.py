"""A balancer in front of some instances: each request goes to one that takes connections."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Iterator

from tests.faults.background import in_background


class Balancer:
    """Turns to the next instance when one refuses the connection, and repeats nothing else."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._turns = itertools.cycle(range(len(ports)))
        self.carried = [0] * len(ports)
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, stop: asyncio.Event, started: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            started.set()
            await stop.wait()
            await asyncio.gather(*self._tasks)

    async def _accept(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(client, answers))
        self._tasks.add(task)  # or nobody would hold it
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        first = next(self._turns)
        for number in range(first, first + len(self._ports)):
            instance = number % len(self._ports)
            try:
                server, requests = await asyncio.open_connection("127.0.0.1", self._ports[instance])
            except ConnectionRefusedError:
                continue
            self.carried[instance] += 1
            there = asyncio.create_task(_copy(client, requests))
            await _copy(server, answers)
            there.cancel()
            await _closed(requests)
            break
        await _closed(answers)


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while content := await source.read(65536):
            to.write(content)
            await to.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@contextlib.contextmanager
def balancing(ports: list[int]) -> Iterator[Balancer]:
    """A balancer before the instances at these ports, until the block ends."""
    made = Balancer(ports)
    with in_background(made.serve):
        yield made
