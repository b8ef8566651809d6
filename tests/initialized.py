"""Starts PostgreSQL on a copy of an initdb directory, cached in .pytest_cache/postgres/."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from api.commands.embedded import postgres
from tests.cluster import Cluster
from tests.postgres import binaries

_SETTINGS: Final = "postgresql.conf"
KEPT: Final = Path(__file__).parent.parent / ".pytest_cache" / "postgres"
# The data directory that is copied, for who runs the suite in a copy of the checkout.
CHOSEN: Final = "TEST_DATA_DIRECTORY"
# It lives for the length of a run: the system's cache of files is as safe as it has to be, and what
# is written to the log is for the next start alone.
_UNSAFE: Final = """
fsync = off
full_page_writes = off
wal_init_zero = off
wal_level = minimal
max_wal_senders = 0
"""
# For a server that others follow.
FOLLOWED: Final = "wal_level = replica\nmax_wal_senders = 10\n"


@contextlib.contextmanager
def started(folder: Path, settings: str = "") -> Iterator[Cluster]:
    """A server with its data in `folder`, which is made, and with these lines of settings as well;
    it stops when the block ends."""
    _copy(Path(os.environ.get(CHOSEN) or initialized()), folder)
    with (folder / _SETTINGS).open("a") as file:
        file.write(settings)
    with postgres(folder, binaries()) as url:
        yield Cluster(url)


def initialized() -> Path:
    """A data directory as initdb leaves it, of this version and this account."""
    said = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    kept = KEPT / f"{said.stdout.split()[2]}-{os.geteuid()}-{crc32(_UNSAFE.encode()):x}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(prefix="task-api-") as scratch:
            data = Path(scratch) / "postgres"
            with postgres(data, binaries()):
                pass
            with (data / _SETTINGS).open("a") as settings:
                settings.write(_UNSAFE)
            _keep(data, kept)
    return kept


def _keep(data: Path, kept: Path) -> None:
    """Whole or not at all: other processes of the suite may be at it too."""
    KEPT.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=KEPT, prefix="new-"))
    _copy(data, new)
    with contextlib.suppress(OSError):  # another was first
        new.rename(kept)
    shutil.rmtree(new, ignore_errors=True)


def _copy(data: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{data}/.", to], check=True)
