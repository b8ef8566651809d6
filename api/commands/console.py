"""Command-line helpers: failures in one line, and a closed output pipe."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

from api.database.errors import DatabaseError, DatabaseUnavailable
from api.database.gate import CannotServe


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


def write_no_more() -> None:
    """Redirect stdout to /dev/null: Python would write the rest of its buffer again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
