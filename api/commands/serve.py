"""`task-api serve`: the server on the database at DATABASE_URL."""

import argparse
import asyncio
import resource
import signal
import sys
from typing import Final

from api.commands.console import CommandError, explained
from api.database.session import Database
from api.observability.exporter import exporting
from api.serving import systemd
from api.serving.listener import listener
from api.serving.server import CannotStart, Config, Server
from api.serving.workers import Workers
from api.settings import Settings, load

_OTHER_FILES: Final = 64  # open files of a process besides client and pool connections


def run(options: argparse.Namespace) -> None:
    """`task-api serve`: serve until SIGTERM or Ctrl-C."""
    settings, notify = load(Settings), systemd.notifier()
    asyncio.run(_pass_gate(settings))
    room = max(_open_files() - _OTHER_FILES - settings.pool_size, 1)
    if room < options.limit_concurrency:
        print(
            f"task-api: {room} connections a process, for more files than that cannot be open; "
            "raise the limit (ulimit -n)",
            file=sys.stderr,
        )
    served = Config(
        "api.main:from_environment",
        settings,
        factory=True,
        workers=options.workers,
        limit_connections=min(options.limit_concurrency, room),
        limit_per_address=options.limit_per_address,
        timeout_keep_alive=options.keep_alive,
    )

    def announce(port: int) -> None:
        print(f"serving on {options.host} port {port}", flush=True)
        notify(systemd.READY)

    def stopping() -> None:
        notify(systemd.STOPPING)

    try:
        with exporting(settings, options.workers):
            if options.workers > 1:
                workers = Workers(served, options.host, options.port)
                workers.run(lambda: announce(workers.port), stopping)
            else:
                signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn re-raises it at its end
                with listener(options.host, options.port) as listening:
                    port = listening.getsockname()[1]
                    Server(served, lambda: announce(port), stopping).run(sockets=[listening])
    except CannotStart as error:
        raise CommandError(error) from None


def _open_files() -> int:
    """Raise the limit of open files to its maximum and return it: each connection is a file, and
    the usual soft limit is 1,024."""
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))
    return maximum if maximum != resource.RLIM_INFINITY else sys.maxsize


async def _pass_gate(settings: Settings) -> None:
    failure = "no connection to the database: {}; check DATABASE_URL and that it is up"
    with explained("refusing to serve: {}", failure):
        async with Database.connect(settings):
            pass
