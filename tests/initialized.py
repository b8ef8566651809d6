"""A PostgreSQL that is a copy of one on which initdb and migrate have run: both take seconds.

What is copied is kept in .pytest_cache/postgres/, by all that has made it: PostgreSQL's version,
the account it belongs to, the files in db/ and the code of `migrate`. When one of them is another,
it is made anew.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg

from api.commands.embedded import postgres
from tests.cluster import Cluster
from tests.postgres import binaries

ROOT: Final = Path(__file__).parent.parent
KEPT: Final = ROOT / ".pytest_cache" / "postgres"
# The data directory that is copied, if not one that is kept: the mutants' own choice.
CHOSEN: Final = "TEST_DATA_DIRECTORY"
# The folders and files that `migrate` is made of, with all that it imports.
SOURCES: Final = (
    *("db/migrations", "db/policies", "api/commands", "api/database", "api/auth"),
    *("api/settings.py", "api/setting_values.py", "api/forwarded.py", "api/reasons.py"),
    *("api/text.py", "api/__init__.py"),
)
_MIGRATED: Final = "migrated"  # the database that others are copied from
# It lives for the length of a run: the system's cache of files is as safe as it has to be.
_UNSAFE: Final = "fsync = off\nfull_page_writes = off\n"


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """A server with its data in `folder`, which is made; it stops when the block ends."""
    chosen = os.environ.get(CHOSEN)
    data = Path(chosen) if chosen else migrated()
    _copy(data, folder)
    with postgres(folder, binaries()) as url:
        yield Cluster(url, template=_MIGRATED if data.name.startswith(_MIGRATED) else None)


def initialized() -> Path:
    """A data directory as initdb leaves it."""
    kept = KEPT / f"initialized-{_made_by()}"
    if not kept.exists():
        with _scratch() as data:
            with postgres(data, binaries()):
                pass
            with (data / "postgresql.conf").open("a") as settings:
                settings.write(_UNSAFE)
            _keep(data, kept)
    return kept


def migrated() -> Path:
    """A data directory in which a database is migrated as well."""
    kept = KEPT / f"{_MIGRATED}-{_made_by()}-{digest(ROOT)}"
    if not kept.exists():
        with _scratch() as data:
            _copy(initialized(), data)
            with postgres(data, binaries()) as url, Cluster(url).database() as database:
                name = urlsplit(database.superuser).path[1:]
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(f"alter database {name} rename to {_MIGRATED}".encode())
            _keep(data, kept)
    return kept


def digest(root: Path) -> str:
    """Of what `migrate` is made of in this checkout."""
    found = hashlib.sha256(version("yoyo-migrations").encode())
    for source in SOURCES:
        for file in sorted((root / source).rglob("*")) or [root / source]:
            if file.suffix in (".py", ".sql"):
                found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _made_by() -> str:
    programs = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return f"{programs.stdout.split()[2]}-{os.geteuid()}"


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="task-api-"))
    try:
        yield folder / "postgres"
    finally:
        shutil.rmtree(folder)


def _keep(data: Path, kept: Path) -> None:
    """Whole or not at all: other processes may be at it too. What was kept before it goes."""
    KEPT.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=KEPT, prefix="new-"))
    _copy(data, new)
    kind = kept.name.rpartition("-")[0]
    with contextlib.suppress(OSError):  # another process was first
        new.rename(kept)
    shutil.rmtree(new, ignore_errors=True)
    for other in KEPT.glob(f"{kind}-*") if kind.startswith(_MIGRATED) else ():
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)


def _copy(data: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{data}/.", to], check=True)
