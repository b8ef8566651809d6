"""Packages of npm that tests use: installed once, from a lock file."""

import fcntl
import subprocess
from pathlib import Path
from typing import Final

from tests import wanted

PATIENCE: Final = 300  # seconds


def install(folder: Path) -> None:
    """Install what this folder's lock file says, unless that was done. Skips where there is no
    Node.js; in CI that fails."""
    for name in ("node", "npm"):
        wanted.program(name, "Node.js 20 or newer, with npm")
    stamp = folder / "node_modules" / ".locked"
    # several processes run the suite, each with files of its own
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = lock.read()
        if stamp.exists() and stamp.read_bytes() == locked:
            return
        done = subprocess.run(
            ["npm", "ci", "--prefer-offline"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        stamp.write_bytes(locked)
