"""Folders that are gone at the end, in memory where there is room: PostgreSQL writes some hundred
small files for each database."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folders made in it have names nobody can guess
_ROOM: Final = 2 * 2**30  # bytes


@contextlib.contextmanager
def scratch(prefix: str = "task-api-") -> Iterator[Path]:
    """A new folder, which is removed when the block ends.

    It is not under pytest's own, which only its user may enter: a PostgreSQL may have another.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_where())).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _where() -> Path | None:
    """Where TMPDIR says, if it says anything."""
    if "TMPDIR" in os.environ or not _MEMORY.is_dir():
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM else None
