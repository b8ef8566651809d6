"""Command-line helpers: failures in one line, a question, a log line, a closed output pipe."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator

from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe
from api.observability import logs
from api.settings import LogSettings, load


class CommandError(Exception):
    """A command failed. The message is one line: what went wrong and what to do."""


@contextlib.contextmanager
def explained(refusal: str, failure: str) -> Iterator[None]:
    """Turn errors of the database into `CommandError` by these formats; `{}` is the reason."""
    logging.getLogger("api").addHandler(logging.NullHandler())  # the error is printed once, below
    try:
        yield
    except CannotServe as error:
        raise CommandError(refusal.format(error)) from None
    except (DatabaseUnavailable, DatabaseError) as error:
        raise CommandError(failure.format(error)) from None


def confirmed(question: str) -> bool:
    """Ask on stderr, and read the answer from stdin; anything else than y or yes is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def log_writer(name: str) -> Callable[[str], None]:
    """A function that writes one line of the log of this name to stderr, as LOG_FORMAT says.

    Raises `SettingsError`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logs.formatter(load(LogSettings).log_format))

    def write(message: str) -> None:
        handler.handle(logging.LogRecord(name, logging.INFO, "", 0, message, None, None))

    return write


def write_no_more() -> None:
    """Redirect stdout to /dev/null: Python would write the rest of its buffer again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
