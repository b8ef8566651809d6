"""`task-api dev`: a development server with an embedded PostgreSQL, without configuration."""

import argparse
import fcntl
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from api.auth.authenticator import issue_token
from api.commands.console import CommandError
from api.commands.embedded import EmbeddedError, postgres
from api.commands.migrate import MigrationError, migrate
from api.main import create_app
from api.observability.exporter import exporting
from api.serving.listener import listener
from api.serving.server import CannotStart, Config, Server
from api.settings import RoleSettings, Settings, load

_DATA: Final = Path(".data")
_SECRET: Final = _DATA / "better-auth-secret"


class DevError(Exception):
    """The development server cannot run. The message is one line and says what to do."""


def run(_: argparse.Namespace) -> None:
    """`task-api dev`."""
    try:
        dev()
    except (CannotStart, DevError, EmbeddedError, MigrationError) as error:
        raise CommandError(error) from None


def dev() -> None:
    """Serve on 127.0.0.1 until Ctrl-C; an embedded PostgreSQL has its data in .data/.

    Raises `DevError`, `EmbeddedError`, `SettingsError`, `MigrationError` or `CannotStart`.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        with (
            listener("127.0.0.1", os.environ.get("PORT") or 8000) as socket_,
            _locked(),
            postgres(_DATA / "postgres") as owner,
        ):
            migrate(owner, timeouts=load(RoleSettings).timeouts())
            settings = load(lambda: Settings(**_settings(owner)))
            welcome = _welcome(settings, socket_.getsockname()[1])
            with exporting(settings):
                server = Server(
                    Config(create_app(settings), settings), lambda: print(welcome, flush=True)
                )
                server.run(sockets=[socket_])
    except KeyboardInterrupt:
        print()
    except OSError as error:
        raise DevError(
            f"{_DATA}/ cannot be used ({error.strerror}: {error.filename}); "
            f"mend its permissions, or move it away to start afresh"
        ) from None


def _interrupt(*_: object) -> None:
    """Stop as after Ctrl-C, which is ignored in what a script has put in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _welcome(settings: Settings, port: int) -> str:
    base = f"http://127.0.0.1:{port}{settings.root_path or ''}"
    lines = ["", f"  The task API is at {base}", f"  Its documentation   {base}/docs", ""]
    if settings.better_auth_secret:
        given = os.environ.get("BETTER_AUTH_SECRET")
        secret = "" if given else f'BETTER_AUTH_SECRET="$(cat {_SECRET})" '
        lines += [
            "  Create a task, as alice:",
            "",
            f"curl {base}/api/tasks -H 'Authorization: Bearer {issue_token(settings, 'alice')}' "
            "-H 'Content-Type: application/json' -d '{\"title\": \"Buy milk\"}'",
            "",
            f"  A token for somebody else:  {secret}{sys.argv[0]} token bob",
            "",
        ]
    return "\n".join([*lines, "  Ctrl-C stops it; the data stay in .data/", ""])


def _settings(owner: str) -> dict[str, Any]:
    parts = urlsplit(owner)
    serving = parts._replace(netloc=f"task_app@{parts.netloc.rpartition('@')[2]}")
    given: dict[str, Any] = {"database_url": urlunsplit(serving)}
    if not os.environ.get("BETTER_AUTH_SECRET") and not os.environ.get("AUTH_JWKS_URL"):
        given["better_auth_secret"] = _kept_secret()
    return given


def _kept_secret() -> str:
    if not _SECRET.exists():
        new = os.open(_SECRET, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(new, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return _SECRET.read_text().strip()


@contextmanager
def _locked() -> Iterator[None]:
    _DATA.mkdir(exist_ok=True)
    folder = os.open(_DATA, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DevError(f"another task-api dev is using {_DATA}/ of this folder; stop it") from None
    finally:
        os.close(folder)
