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
from api.serving.listener import listener
from api.serving.server import CannotStart, Config, Server
from api.serving.workers import Workers
from api.settings import Settings, load

_OTHER_FILES: Final = 64  # that a process has open besides its connections


def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(Settings)
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
    )

    def say(port: int) -> None:
        print(f"serving on {options.host} port {port}", flush=True)

    try:
        with exporting(settings, options.workers):
            if options.workers > 1:
                workers = Workers(served, options.host, options.port)
                workers.run(lambda: say(workers.port))
            else:
                signal.signal(signal.SIGTERM, lambda *_: None)  # or it ends us when all is done
                with listener(options.host, options.port) as alone:
                    port = alone.getsockname()[1]
                    Server(served, lambda: say(port)).run(sockets=[alone])
    except CannotStart as error:
        raise CommandError(error) from None


def _open_files() -> int:
    """How many a process may have: as many as possible, for a connection is one, and the usual
    limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else sys.maxsize


async def _pass_gate(settings: Settings) -> None:
    failure = "no connection to the database: {}; check DATABASE_URL and that it is up"
    with explained("refusing to serve: {}", failure):
        async with Database.connect(settings):
            pass
