"""What 10,000 open streams cost one process: memory, the time to wake one and all, and others."""

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil  # type: ignore[import-untyped]
import psycopg

from api.settings import Settings
from api.sync.channels import CHANNEL
from api.sync.digests import Digests
from bench.clients import Figures, wrk
from bench.stage import SECRET, Stage
from bench.table import table
from tests.loopback import free_port

STREAMS: Final = 10_000
WOKEN: Final = 200  # one after the other
_LIMIT: Final = str(STREAMS + 2000)
_TASK_API: Final = str(Path(sysconfig.get_path("scripts")) / "task-api")


class _Device:
    """A stream, and when it was last told something."""

    def __init__(self, token: str) -> None:
        self.token, self.told = token, 0.0
        self.event = asyncio.Event()

    async def open(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(
            b"GET /api/tasks/events HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer %b\r\n\r\n" % self.token.encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        await self._reader.readuntil(b"\n\n")
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while part := await self._reader.read(4096):
            if b"event: changed" in part:
                self.told = time.perf_counter()
                self.event.set()

    def close(self) -> None:
        self._reading.cancel()
        self._writer.transport.abort()


def measure(on: Stage, options: argparse.Namespace) -> None:
    """One process: without streams, with them, and while they are woken."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with _served(on) as (port, process):
        asyncio.run(_measure(on, port, process, options))


@contextmanager
def _served(on: Stage) -> Iterator[tuple[int, Any]]:
    port = free_port()
    given = {"DATABASE_URL": on.database.task_app, "LISTEN_DATABASE_URL": on.database.direct}
    command = ["serve", "--port", str(port), "--limit-concurrency", _LIMIT]
    with subprocess.Popen(
        [_TASK_API, *command, "--limit-per-address", _LIMIT],
        env=os.environ | given | {"BETTER_AUTH_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while True:
                try:
                    httpx2.get(f"http://127.0.0.1:{port}/readyz", verify=False)
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


async def _measure(on: Stage, port: int, process: Any, options: argparse.Namespace) -> None:
    people = on.crowd.read_text().split("\n")[:STREAMS]
    devices = [_Device(line.split(" ")[0]) for line in people if line]
    address = f"http://127.0.0.1:{port}"
    for name in _WORKLOADS:  # so that it is warm
        await _load(address, name, on, options)
    before, cpu = process.memory_info().rss, sum(process.cpu_times()[:2])
    begun = time.perf_counter()
    for at in range(0, len(devices), 100):
        await asyncio.gather(*(device.open(port) for device in devices[at : at + 100]))
    opening = time.perf_counter() - begun
    opened = sum(process.cpu_times()[:2]) - cpu
    await asyncio.sleep(20)
    memory = process.memory_info().rss - before
    cpu = sum(process.cpu_times()[:2])
    await asyncio.sleep(30)
    quiet = (sum(process.cpu_times()[:2]) - cpu) / 30
    one = await _wake_one(address, devices)
    first, last = await _wake_all(on, devices)
    loads = {(name, True): await _load(address, name, on, options) for name in _WORKLOADS}
    for device in devices:
        device.close()
    await asyncio.sleep(5)
    loads |= {(name, False): await _load(address, name, on, options) for name in _WORKLOADS}
    table(
        ["streams", "KiB each", "opened in s", "CPU ms each", "CPU of pings"],
        [
            [
                f"{len(devices):,}",
                memory / 1024 / len(devices),
                opening,
                1000 * opened / len(devices),
                f"{quiet:.1%}",
            ]
        ],
    )
    ranked = sorted(one)
    table(
        ["woken", "ms, the median or the first", "ms, the 99th of 100 or the last"],
        [
            ["one, from its request", statistics.median(one), ranked[len(ranked) * 99 // 100]],
            ["all at once, from the NOTIFY", 1000 * first, 1000 * last],
        ],
    )
    rows = [
        [name, f"{len(devices) if there else 0:,}", figures.rate, figures.p50, figures.p99]
        for (name, there), figures in sorted(loads.items())
    ]
    table(["workload, 100 connections", "streams", "requests/s", "p50 ms", "p99 ms"], rows)


_WORKLOADS: Final = ("get", "create")


async def _load(address: str, name: str, on: Stage, options: argparse.Namespace) -> Figures:
    """The run of the median rate; the devices go on reading meanwhile."""
    runs = [
        await asyncio.to_thread(wrk, address, name, on, 100, options.seconds)
        for _ in range(options.rounds)
    ]
    return sorted(runs, key=lambda run: run.rate)[len(runs) // 2]


async def _wake_one(address: str, devices: list[_Device]) -> list[float]:
    """The milliseconds from a person's request to the event on their stream."""
    took = []
    async with httpx2.AsyncClient(base_url=address, verify=False) as http:
        for device in devices[:: len(devices) // WOKEN]:
            device.event.clear()
            headers = {"Authorization": f"Bearer {device.token}"}
            begun = time.perf_counter()
            await http.post("/api/tasks", json={"title": "Buy milk"}, headers=headers)
            await device.event.wait()
            took.append(1000 * (device.told - begun))
    return took


async def _wake_all(on: Stage, devices: list[_Device]) -> tuple[float, float]:
    """The seconds until the first and the last is told, when everybody has changed something."""
    settings = Settings(database_url=on.database.task_app, better_auth_secret=SECRET)
    messages = Digests(settings).messages(f"user-{n}" for n in range(1, len(devices) + 1))
    async with await psycopg.AsyncConnection.connect(
        on.database.superuser, autocommit=True
    ) as superuser:
        await superuser.execute("update sync_head set seq = seq + 1")
        for device in devices:
            device.event.clear()
        waiting = [asyncio.create_task(device.event.wait()) for device in devices]
        await asyncio.sleep(0)
        begun = time.perf_counter()
        await superuser.execute(
            "select pg_notify(%s, message) from unnest(%s::text[]) as message", [CHANNEL, messages]
        )
        await asyncio.wait(waiting)
    told = [device.told - begun for device in devices]
    return min(told), max(told)
