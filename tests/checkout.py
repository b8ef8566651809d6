"""Lists the files of this checkout."""

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import api

ROOT: Final = Path(api.__file__).parent.parent


def files(pattern: str, folder: Path = ROOT) -> Iterator[Path]:
    """Those below the folder whose names match, in order; no hidden ones, nor those of npm."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name != "node_modules")
        for name in sorted(names):
            if fnmatch(name, pattern):
                yield Path(place) / name
