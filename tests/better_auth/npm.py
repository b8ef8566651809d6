"""What the Better Auth server is made of: installed once, from its lock file."""

import fcntl
import subprocess
from pathlib import Path
from typing import Final

from tests import wanted

SERVER: Final = Path(__file__).parent / "server"
PATIENCE: Final = 300  # seconds


def install() -> None:
    """Install it unless that was done. Skips where there is no Node.js; in CI that fails."""
    for name in ("node", "npm"):
        wanted.program(name, "Node.js 20 or newer, with npm")
    stamp = SERVER / "node_modules" / ".locked"
    # several processes run the suite, each with files of its own
    with (SERVER / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = lock.read()
        if stamp.exists() and stamp.read_bytes() == locked:
            return
        done = subprocess.run(
            ["npm", "ci", "--prefer-offline"],
            cwd=SERVER,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        stamp.write_bytes(locked)
