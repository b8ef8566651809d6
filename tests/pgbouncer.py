"""A PgBouncer in transaction mode, in front of a PostgreSQL server."""

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from api.commands.embedded import account
from tests import wanted
from tests.scratch import scratch

_PORT: Final = 6432  # of a Unix socket, in a folder of its own
_PATIENCE: Final = 10  # seconds


def program() -> str:
    """TEST_PGBOUNCER, or the installed one; without any the test is skipped, but not in CI."""
    return os.environ.get("TEST_PGBOUNCER") or wanted.program("pgbouncer")


def version() -> tuple[int, ...]:
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    (numbers,) = re.findall(r"^PgBouncer ([0-9.]+)", said.stdout, re.MULTILINE)
    return tuple(int(number) for number in numbers.split("."))


@contextlib.contextmanager
def pgbouncer(server: str, **settings: object) -> Iterator[str]:
    """PgBouncer in front of the server at this URL, which task_app can connect to.

    Yields the URL of the same, by way of PgBouncer. `settings` are PgBouncer's own.
    """
    parts = urlsplit(server)
    there = conninfo_to_dict(server)
    with scratch() as folder:
        (folder / "users").write_text(f'"task_app" "{unquote(parts.password or "")}"\n')
        log = folder / "log"
        lines = {
            "pool_mode": "transaction",
            "auth_type": "trust",
            "auth_file": folder / "users",
            "server_login_retry": 0,  # else it gives up for 15 seconds
            "listen_port": _PORT,
            "unix_socket_dir": folder,
            "logfile": log,
            **settings,
        }
        (folder / "ini").write_text(
            f"[databases]\n* = host={there['host']} port={there.get('port', 5432)}\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )
        if identity := account():  # it does not run as root
            for path in (folder, *folder.iterdir()):
                os.chown(path, identity["user"], identity["group"])
        # -q: to its log alone
        process = subprocess.Popen([program(), "-q", folder / "ini"], cwd="/", **identity)
        try:
            url = f"postgresql://task_app@{parts.path}?host={quote(str(folder))}&port={_PORT}"
            _await(process, folder / f".s.PGSQL.{_PORT}", log)
            yield url
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _await(process: subprocess.Popen[bytes], address: Path, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(address)) != 0:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
