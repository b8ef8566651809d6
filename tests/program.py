"""Runs the installed `task-api` as a user does, in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from tests.forked import AT_START, Forked, Outcome, forked

TASK_API: Final = str(Path(sysconfig.get_path("scripts")) / "task-api")
PATIENCE: Final = 60  # seconds

Process = Forked | subprocess.Popen[str]


def environment(**settings: str) -> dict[str, str]:
    """These settings, and of the suite's own environment only what every program needs."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "USER", "TMPDIR") or name.startswith("COVERAGE_")
    }
    return kept | settings


def run(
    *arguments: str, folder: Path | str = "/", program: str = TASK_API, **settings: str
) -> Outcome:
    """Run `task-api` with these arguments in this folder, to its end."""
    if _can_be_forked(program, settings):
        return forked(arguments, str(folder), environment(**settings), PATIENCE)
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


class Running:
    """A command that goes on until it is told to stop."""

    def __init__(self, process: Process, out: IO[str], err: IO[str]) -> None:
        self.process, self._out, self._err = process, out, err

    @property
    def out(self) -> str:
        return Path(self._out.name).read_text()

    @property
    def err(self) -> str:
        return Path(self._err.name).read_text()

    def says(self, words: str) -> str:
        """All it has said on stdout, once these words are in it."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.out:
            assert self.process.poll() is None, self.err
            assert time.monotonic() < deadline, self.err
            time.sleep(0.02)
        return self.out

    def stops(self, sign: signal.Signals = signal.SIGINT) -> Outcome:
        """Tell it to stop, and see how it ends."""
        self.process.send_signal(sign)
        return Outcome(self.process.wait(PATIENCE), self.out, self.err)


@contextlib.contextmanager
def running(
    *arguments: str, folder: Path | str = "/", program: str = TASK_API, **settings: str
) -> Iterator[Running]:
    """`task-api` with these arguments in this folder, stopped when the block ends.

    What has processes of its own is started as a user starts it.
    """
    with tempfile.NamedTemporaryFile("w+") as out, tempfile.NamedTemporaryFile("w+") as err:
        process: Process
        if (
            arguments[:1] == ("serve",)
            and "--workers" not in arguments
            and _can_be_forked(program, settings)
        ):
            process = Forked(arguments, str(folder), environment(**settings), out.name, err.name)
        else:
            process = subprocess.Popen(
                [program, *arguments],
                cwd=folder,
                env=environment(**settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
            )
        command = Running(process, out, err)
        try:
            yield command
        finally:
            if process.poll() is None:
                command.stops()


def _can_be_forked(program: str, settings: Mapping[str, str]) -> bool:
    """What is read while Python and the libraries are imported has to be there before."""
    return program == TASK_API and not any(name.startswith(AT_START) for name in settings)
