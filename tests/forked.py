"""Runs `task-api` in a process forked from one that has imported what commands have in common: the
suite runs hundreds of them, and importing takes longer than most."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# What Python and the libraries read while they are imported, by the beginnings of its names.
AT_START: Final = ("LANG", "LC_", "OTEL_", "PROMETHEUS_", "PYTHON", "TZ", "prometheus_")

# By which coverage starts itself in a process.
_MEASURING: Final = {"COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"}

_forks: Final = multiprocessing.get_context("forkserver")
_starts: Final = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def refusal(self) -> str:
        """The one line with which the command refused; fails if it did anything else."""
        assert self.code == 1, self
        assert self.out == "", self
        (line,) = self.err.splitlines()
        assert line.startswith("task-api: "), self
        return line


class Forked:
    """`task-api` with these arguments, in this folder and environment, writing to these files.

    What is asked of it is named as `subprocess.Popen` names it.
    """

    def __init__(
        self, arguments: Sequence[str], folder: str, environment: dict[str, str], out: str, err: str
    ) -> None:
        self._process: Final = _forks.Process(
            target=_command, args=(arguments, folder, environment, out, err)
        )
        _start(self._process)
        assert self._process.pid is not None
        self.pid: Final = self._process.pid

    def poll(self) -> int | None:
        """Its exit status, once it has ended; negative if a signal has ended it."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, when it has ended. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired(["task-api"], timeout or 0)
        return code

    def send_signal(self, sign: signal.Signals) -> None:
        """Tell it; nobody, if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def forked(
    arguments: Sequence[str], folder: str, environment: dict[str, str], patience: float
) -> Outcome:
    """The outcome of `task-api` with these arguments, in this folder and environment.

    `patience`: the seconds it has. Raises `subprocess.TimeoutExpired`.
    """
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
        process = Forked(arguments, folder, environment, out.name, err.name)
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return Outcome(code, out.read(), err.read())


def _start(process: multiprocessing.process.BaseProcess) -> None:
    """The first one starts the process that all are forked from, which is not measured itself."""
    with _starts:
        measuring = {name: os.environ.pop(name) for name in _MEASURING & os.environ.keys()}
        try:
            _forks.set_forkserver_preload(["tests.preloaded"])
            process.start()
        finally:
            os.environ |= measuring


def _command(
    arguments: Sequence[str], folder: str, environment: dict[str, str], out: str, err: str
) -> None:
    """What the installed script does, after what Python does when it starts."""
    for number, name in (1, out), (2, err):
        file = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ |= environment
    sys.argv = ["task-api", *arguments]
    tempfile.tempdir = None
    measured = None
    if _MEASURING & environment.keys():
        import coverage

        measured = coverage.process_startup()
    try:
        from api.cli import main

        sys.exit(main())
    finally:
        sys.stdout.flush()
        if measured:
            measured.stop()
            measured.save()
